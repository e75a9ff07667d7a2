"""Depth images: a LiDAR's points seen from the front, coloured by their distance.

Shen et al., "LidarGait: benchmarking 3D gait recognition with point clouds", CVPR 2023. A point is
a disc on a panorama whose axes are the angles around and above the sensor. OpenGait has Matplotlib
draw it; the discs here cover pixels as its do, to within 2 of 255 grey levels.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.normalise import SMALLEST_SUM

UP, AROUND = 0.2, 0.19188  # degrees from one beam to the next
LOWEST, HIGHEST = -25.0, 15.0  # degrees above the sensor
SCALE = 0.77  # pixels a beam: of a figure of a pixel a beam Matplotlib gives that part to the axes
SHAPE = (int(SCALE * (HIGHEST - LOWEST) / UP), int(SCALE * 360 / AROUND))  # of the panorama
RADIUS = 100 / 72 / 2  # pixels, of a disc of 1 point at 100 dots per inch
SUBROWS = 64  # into which a pixel is cut to find how much of it a disc covers
# Matplotlib's colours 'jet': where a channel bends, and its value there
JET = (
    ((0, 0.35, 0.66, 0.89, 1), (0, 0, 1, 1, 0.5)),
    ((0, 0.125, 0.375, 0.64, 0.91, 1), (0, 0, 1, 1, 0, 0)),
    ((0, 0.11, 0.34, 0.65, 1), (0.5, 1, 1, 0, 0)),
)


def depth_image(points: NDArray[np.floating], size: int = 64) -> NDArray[np.uint8]:
    """Draws a cloud of points and cuts the person out.

    Args:
        points: [P, 3], metres from the sensor: ahead, to the left, up.
        size: height and width of the result, pixels.

    Returns:
        uint8 [size, size, 3], red first; near points are red, far ones blue.
    """
    return align(panorama(np.asarray(points, np.float64)), size)


def panorama(points: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The whole view: uint8 [154, 1444, 3], black where there is no point; later points cover.

    Args:
        points: [P, 3], as of `depth_image`.
    """
    ahead, left, up = points.T
    distance = np.hypot(ahead, left)
    around = np.rad2deg(np.arctan2(left, -ahead)) + 180
    above = np.rad2deg(np.arctan2(up, distance)) - LOWEST
    x = around / AROUND * SCALE
    y = SHAPE[0] - above / UP * SCALE
    corners, opacities = _discs(np.stack([x, y], axis=1))
    image = np.zeros((*SHAPE, 3), np.int64)
    discs = zip(corners.tolist(), opacities, _colours(-distance), strict=True)
    for (left, top), opacity, colour in discs:  # mixed as Agg does, which draws for Matplotlib
        part = image[top : top + 3, left : left + 3]
        mixed = (256 * colour - 255 * part) * opacity + 255 * 256 * part
        part[:] = np.where(opacity == 255, colour, mixed // (255 * 256 + opacity))
    return image.astype(np.uint8)


def _colours(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """'jet' from the lowest to the highest value: [P, 3]."""
    share = (values - values.min()) / max(np.ptp(values), 1e-12)
    index = np.minimum((256 * share).astype(int), 255) / 255
    channels = [np.interp(index, bends, levels) for bends, levels in JET]
    return np.floor(255 * np.stack(channels, axis=1) + 0.5).astype(np.int64)


def _discs(
    centres: NDArray[np.float64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where discs lie, and how much of 255 they cover of the pixels there.

    Args:
        centres: [P, 2], x and y in pixels.

    Returns:
        x and y of the first of 3 x 3 pixels, within the panorama, [P, 2]; and [P, 3, 3, 1].
    """
    corners = np.floor(centres - RADIUS).astype(int).clip(0, (SHAPE[1] - 3, SHAPE[0] - 3))
    x, y = (corners - centres).T
    rows = y[:, None] + (np.arange(3 * SUBROWS) + 0.5) / SUBROWS
    half = np.sqrt(np.maximum(RADIUS**2 - rows**2, 0))[..., None]
    columns = (x[:, None] + np.arange(3))[:, None]
    covered = (np.minimum(half, columns + 1) - np.maximum(-half, columns)).clip(0)
    share = covered.reshape(-1, 3, SUBROWS, 3).mean(axis=2)
    return corners, (256 * share).astype(int).clip(0, 255)[..., None]


def align(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    """Scales the rows that hold anything to one height, and cuts around the middle of the colours.

    Args:
        image: uint8 [h, w, 3].
        size: height and width of the result, pixels.

    Returns:
        uint8 [size, size, 3], zero beyond the image.
    """
    top, bottom = 0, len(image)
    if image.sum(dtype=np.int64) > SMALLEST_SUM:
        rows = np.flatnonzero(image.any(axis=(1, 2)))
        top, bottom = rows[0], rows[-1]  # OpenGait loses the last row
    width = size * image.shape[1] // (bottom - top)
    scaled = cv2.resize(image[top:bottom], (width, size), interpolation=cv2.INTER_CUBIC)
    area = scaled.sum(axis=(0, 2), dtype=np.int64).cumsum()
    centre = int(np.searchsorted(area, area[-1] / 2, side="right")) if area[-1] else width // 2
    # OpenGait lets a window that leaves the image slip by half of its width instead.
    padded = np.pad(scaled, ((0, 0), (size // 2, size // 2), (0, 0)))
    return np.asarray(padded[:, centre : centre + size], np.uint8)
