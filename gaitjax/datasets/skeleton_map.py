"""Skeleton maps: poses drawn as images of limbs and joints (SkeletonGait, Fan et al., AAAI 2024).

Everybody is scaled to one height around the middle of the hips, so that the map shows how the limbs
stand, and nothing of where the person is.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

CANVAS = 128  # pixels that the maps are drawn on
HEIGHT = 85  # pixels from the highest joint to the lowest
REACH = 3  # standard deviations after which a joint or limb ends
HIPS = (11, 12)
# fmt: off
LIMBS = ((0, 1), (0, 2), (1, 3), (2, 4), (0, 5), (0, 6), (5, 7), (6, 8), (7, 9), (8, 10),
         (5, 11), (6, 12), (11, 12), (11, 13), (12, 14), (13, 15), (14, 16))
# fmt: on

Array = NDArray[np.float64]


def skeleton_map(
    poses: NDArray[np.floating], sigma: float = 8.0, size: int = 64
) -> NDArray[np.uint8]:
    """Draws the key points of a sequence.

    Args:
        poses: [T, 17, 3], COCO's key points: x, y in pixels, confidence in 0..1; none is missing.
        sigma: standard deviation of a joint and half width of a limb, pixels of the canvas.
        size: height and width of the result, pixels.

    Returns:
        uint8 [T, size, size, 2]: limbs, joints.
    """
    points = _centred(np.asarray(poses[..., :2], np.float64))
    confidence = np.asarray(poses[..., 2], np.float64)
    first, second = np.array(LIMBS).T
    starts, ends = points[:, first], points[:, second]
    short = ((starts - ends) ** 2).sum(axis=-1) < 1  # OpenGait draws the first of its ends alone
    ends = np.where(short[..., None], starts, ends)
    weaker = np.minimum(confidence[:, first], confidence[:, second])
    limbs = _draw(starts, ends, np.where(short, confidence[:, first], weaker), sigma)
    joints = _draw(points, points, confidence, sigma)
    maps = np.stack([limbs, joints], axis=-1)
    grey = np.minimum(256 * maps, 255).astype(np.uint8)
    return np.stack([_cut(frame, size) for frame in grey])


def _centred(points: Array) -> Array:
    """The middle of the hips to the middle of the canvas, everybody to one height."""
    points = points - points[:, HIPS].mean(axis=1, keepdims=True)
    extent = np.ptp(points[..., 1], axis=1)[:, None, None]
    return np.asarray(points * (HEIGHT / extent) + CANVAS // 2)


def _draw(starts: Array, ends: Array, peaks: Array, sigma: float) -> Array:
    """The largest of all segments' bells at every pixel: [T, CANVAS, CANVAS].

    Args:
        starts: [T, S, 2] x, y in pixels of the canvas; `ends` alike, equal for a point.
        ends: [T, S, 2].
        peaks: [T, S], the value on a segment, which falls off as a Gaussian around it.
        sigma: of the Gaussian.
    """
    result = np.zeros((len(starts), CANVAS, CANVAS))
    for canvas, *segments in zip(result, starts, ends, peaks, strict=True):
        for start, end, peak in zip(*segments, strict=True):
            low = np.trunc(np.minimum(start, end) - REACH * sigma).astype(int).clip(0, CANVAS)
            high = np.trunc(np.maximum(start, end) + REACH * sigma).astype(int).clip(-1, CANVAS - 1)
            x, y = np.arange(low[0], high[0] + 1), np.arange(low[1], high[1] + 1)[:, None]
            across, along = end - start
            length = max(across**2 + along**2, 1e-9)
            share = np.clip(((x - start[0]) * across + (y - start[1]) * along) / length, 0, 1)
            square = (x - start[0] - share * across) ** 2 + (y - start[1] - share * along) ** 2
            bell = peak * np.exp(-square / (2 * sigma**2))
            part = canvas[low[1] : high[1] + 1, low[0] : high[0] + 1]
            np.maximum(part, bell, out=part)
    return result


def _cut(frame: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """The rows that hold anything, and as many columns around the middle, each map by itself."""
    maps = []
    for image in np.moveaxis(frame, -1, 0):
        rows = np.flatnonzero(image.any(axis=1))
        half = (rows[-1] - rows[0] + 1) // 2 if len(rows) else CANVAS // 2
        top, bottom = (rows[0], rows[-1] + 1) if len(rows) else (0, CANVAS)
        middle = image[top:bottom, max(CANVAS // 2 - half, 0) : CANVAS // 2 + half + 1]
        scaled = cv2.resize(middle / 255, (size, size), interpolation=cv2.INTER_AREA)
        maps.append((scaled * 255).astype(np.uint8))
    return np.stack(maps, axis=-1)
