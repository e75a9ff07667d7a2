"""Masks of a solid as a camera sees them."""

import cv2
import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.synthetic.camera import HEIGHT, WIDTH, Camera, derivative, project
from gaitjax.datasets.synthetic.flesh import Solid
from gaitjax.datasets.synthetic.gait import Array

Mask = NDArray[np.uint8]
Window = tuple[Mask, tuple[int, int]]  # and the pixel (x, y) of the image at its corner

DIRECTIONS = 16
SHIFT = 4  # bits of a pixel's fraction that cv2 takes
MARGIN = 12  # pixels around the body


def outlines(solid: Solid, camera: Camera) -> Array:
    """The outline of every part in the image, as the corners of a convex polygon.

    The camera, linearised at the centre, sees an ellipsoid c + A u as an ellipse, whose farthest
    point in the direction n is p + S n / sqrt(n' S n) with S = J A A' J'. The hull of several
    ellipses reaches as far as the farthest of them.

    Args:
        solid: in the world.
        camera: that sees it.

    Returns:
        [T, P, DIRECTIONS, 2] in pixels.
    """
    angles = np.arange(DIRECTIONS) * 2 * np.pi / DIRECTIONS
    normals = np.stack([np.cos(angles), np.sin(angles)])
    centres, _ = project(camera, solid.centres)
    flat = derivative(camera, solid.centres) @ solid.axes
    radii = np.linalg.norm(flat.transpose(0, 1, 3, 2) @ normals, axis=-2)  # sqrt(n' S n)
    support = (centres @ normals + radii)[:, solid.parts]
    frame, part, normal = np.ogrid[tuple(map(slice, (len(support), len(solid.parts), DIRECTIONS)))]
    farthest = solid.parts[part, support.argmax(axis=2)]
    along = (flat @ flat.transpose(0, 1, 3, 2) @ normals).transpose(0, 1, 3, 2)  # S n
    corners: Array = centres[:, :, None] + along / radii[..., None]
    return np.asarray(corners[frame, farthest, normal])


def masks(corners: Array) -> list[Window]:
    """Fills the outlines, frame by frame.

    Args:
        corners: [T, P, n, 2] in pixels, from `outlines`.

    Returns:
        For each frame the mask (uint8 [h, w], 255 in the body) of a window of the image around the
        body, and the pixel (x, y) of the window's corner.
    """
    image = (WIDTH, HEIGHT)
    low = np.clip(np.floor(corners.min(axis=(1, 2))).astype(int) - MARGIN, 0, image)
    high = np.clip(np.ceil(corners.max(axis=(1, 2))).astype(int) + MARGIN, low + 1, image)
    fixed = np.round((corners - low[:, None, None]) * 2**SHIFT).astype(np.int32)
    windows = []
    for polygons, (x, y), (right, bottom) in zip(fixed, low.tolist(), high.tolist(), strict=True):
        mask = np.zeros((bottom - y, right - x), np.uint8)
        for polygon in polygons:
            cv2.fillConvexPoly(mask, polygon, 255, shift=SHIFT)
        windows.append((mask, (x, y)))
    return windows
