"""A solid as a camera sees it: its mask, and which part is at which pixel."""

from collections.abc import Iterable
from typing import Any

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
    """Where the body is, frame by frame.

    Args:
        corners: [T, P, n, 2] in pixels, from `outlines`.

    Returns:
        For each frame the mask (uint8 [h, w], 255 in the body) of a window of the image around the
        body, and the pixel (x, y) of the window's corner.
    """
    parts = range(corners.shape[1])
    return _fill(corners, [parts] * len(corners), np.full(len(parts), 255))


def numbers(corners: Array, solid: Solid, camera: Camera) -> list[Mask]:
    """Which part is seen at every pixel: the nearer ones hide those behind.

    Args:
        corners: [T, P, n, 2] in pixels, from `outlines`.
        solid: in the world.
        camera: that sees it.

    Returns:
        For each frame uint8 of the window of `masks`: 1 + the number of the part, 0 behind all.
    """
    order = np.argsort(-distances(solid, camera), axis=1)
    return [window for window, _ in _fill(corners, order, np.arange(1, order.shape[1] + 1))]


def distances(solid: Solid, camera: Camera) -> Array:
    """Metres [T, P] from the camera's plane to the middle of every part."""
    _, depth = project(camera, solid.centres)
    return np.asarray(depth[:, solid.parts].mean(axis=-1))


def _fill(corners: Array, order: Iterable[Iterable[int]], values: NDArray[Any]) -> list[Window]:
    """Fills the outlines with their values, in the order given for each frame."""
    image = (WIDTH, HEIGHT)
    low = np.clip(np.floor(corners.min(axis=(1, 2))).astype(int) - MARGIN, 0, image)
    high = np.clip(np.ceil(corners.max(axis=(1, 2))).astype(int) + MARGIN, low + 1, image)
    fixed = np.round((corners - low[:, None, None]) * 2**SHIFT).astype(np.int32)
    windows = []
    frames = zip(fixed, order, low.tolist(), high.tolist(), strict=True)
    for polygons, parts, (x, y), (right, bottom) in frames:
        window = np.zeros((bottom - y, right - x), np.uint8)
        for part in parts:
            cv2.fillConvexPoly(window, polygons[part], int(values[part]), shift=SHIFT)
        windows.append((window, (x, y)))
    return windows
