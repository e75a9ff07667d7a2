"""Depth images: a LiDAR's points seen from the front, coloured by their distance.

Shen et al., "LidarGait: benchmarking 3D gait recognition with point clouds", CVPR 2023. A point is
a dot that Matplotlib draws on a panorama, whose axes are the angles around and above the sensor.
"""

import io

import cv2
import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.normalise import SMALLEST_SUM
from gaitjax.errors import UserError

UP, AROUND = 0.2, 0.19188  # degrees from one beam to the next
LOWEST, HIGHEST = -25.0, 15.0  # degrees above the sensor
WIDTH, HEIGHT = 360 / AROUND, (HIGHEST - LOWEST) / UP  # of all beams
DPI = 100


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

    Raises:
        UserError: without Matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise UserError(
            "depth images are drawn by Matplotlib, which is not installed; expected the extra "
            "'prepare': pip install 'gaitjax[prepare]'"
        ) from error
    ahead, left, up = points.T
    distance = np.hypot(ahead, left)
    around = np.rad2deg(np.arctan2(left, -ahead)) + 180
    above = np.rad2deg(np.arctan2(up, distance)) - LOWEST
    # A figure of a pixel a beam, of which the axes take 0.77 times the height and the width.
    figure = Figure(figsize=(WIDTH / DPI, HEIGHT / DPI), dpi=DPI)
    axes = figure.subplots()
    axes.scatter(around / AROUND, above / UP, s=1, c=-distance, linewidths=0, cmap="jet")
    axes.set(facecolor="black", aspect="equal", xticks=(), yticks=())
    axes.set(xlim=(0, WIDTH), ylim=(0, HEIGHT))
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", bbox_inches="tight", pad_inches=0)
    image = np.asarray(cv2.imdecode(np.frombuffer(drawn.getbuffer(), np.uint8), cv2.IMREAD_COLOR))
    return image[..., ::-1].astype(np.uint8)


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
