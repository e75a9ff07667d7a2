"""The common cut of silhouettes: one height for everybody, centred on the body."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST_SUM = 10_000  # grey values; a mask below it shows nobody, whatever its size


class Cut(NamedTuple):
    """Where a person is in a mask, and how large the mask's columns become.

    Attributes:
        top: the first row.
        bottom: the row after the last.
        width: of the mask when those rows are scaled to `size`, pixels.
        centre: the column of the scaled mask with half of the area on either side.
        size: height and width of what is cut out, pixels.
    """

    top: int
    bottom: int
    width: int
    centre: int
    size: int


def normalise(mask: NDArray[np.uint8], size: int = 64) -> NDArray[np.uint8] | None:
    """Cuts a person out of a mask, scaled to one height and centred on the middle of its area.

    The same to the pixel as OpenGait's `datasets/pretreatment.py`, with its absolute threshold.

    Args:
        mask: uint8 [h, w], 0 where there is no person.
        size: height and width of the result, in pixels.

    Returns:
        uint8 [size, size], or None where the mask shows too little to be cut.
    """
    found = locate(mask, size)
    return None if found is None else cut(mask, found, cv2.INTER_CUBIC)


def locate(
    mask: NDArray[np.uint8],
    size: int,
    interpolation: int = cv2.INTER_CUBIC,
    smallest: int = SMALLEST_SUM,
) -> Cut | None:
    """Where `normalise` cuts; None where the mask shows too little.

    Args:
        mask: uint8 [h, w], 0 where there is no person.
        size: height and width of what is to be cut out, pixels.
        interpolation: of OpenCV, with which the middle of the area is looked for.
        smallest: the sum of grey values that a mask has to exceed.
    """
    sums = cv2.reduce(mask, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0]
    if sums.sum(dtype=np.int64) <= smallest:
        return None
    rows = np.flatnonzero(sums)
    top, bottom = int(rows[0]), int(rows[-1]) + 1
    width = size * mask.shape[1] // (bottom - top)
    if width == 0:
        return None
    scaled = cv2.resize(mask[top:bottom], (width, size), interpolation=interpolation)
    area = scaled.sum(axis=0, dtype=np.int64).cumsum()
    centre = int(np.searchsorted(area, area[-1] / 2, side="right"))
    return None if centre in (0, width) else Cut(top, bottom, width, centre, size)


def cut(image: NDArray[np.uint8], found: Cut, interpolation: int) -> NDArray[np.uint8]:
    """Cuts an image where a mask of the same size was cut.

    Args:
        image: uint8 [h, w] or [h, w, channels].
        found: from `locate`.
        interpolation: of OpenCV, such as cv2.INTER_NEAREST for class numbers.

    Returns:
        uint8 [size, size] or [size, size, channels].
    """
    size, half = (found.width, found.size), found.size // 2
    scaled = cv2.resize(image[found.top : found.bottom], size, interpolation=interpolation)
    left, right = found.centre - half, found.centre + half
    if left <= 0 or right >= found.width:
        sides = ((0, 0), (half, half)) + ((0, 0),) * (scaled.ndim - 2)
        scaled, left = np.pad(scaled, sides), found.centre
    return np.asarray(scaled[:, left : left + 2 * half], np.uint8)
