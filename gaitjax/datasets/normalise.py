"""The common cut of silhouettes: one height for everybody, centred on the body."""

import cv2
import numpy as np
from numpy.typing import NDArray

SMALLEST_SUM = 10_000  # grey values; a mask below it shows nobody, whatever its size


def normalise(mask: NDArray[np.uint8], size: int = 64) -> NDArray[np.uint8] | None:
    """Cuts a person out of a mask, scaled to one height and centred on the middle of its area.

    The same to the pixel as OpenGait's `datasets/pretreatment.py`, with its absolute threshold.

    Args:
        mask: uint8 [h, w], 0 where there is no person.
        size: height and width of the result, in pixels.

    Returns:
        uint8 [size, size], or None where the mask shows too little to be cut.
    """
    sums = cv2.reduce(mask, 1, cv2.REDUCE_SUM, dtype=cv2.CV_32S)[:, 0]
    if sums.sum(dtype=np.int64) <= SMALLEST_SUM:
        return None
    rows = np.flatnonzero(sums)
    person = mask[rows[0] : rows[-1] + 1]
    width = size * person.shape[1] // person.shape[0]
    if width == 0:
        return None
    scaled = cv2.resize(person, (width, size), interpolation=cv2.INTER_CUBIC)
    area = scaled.sum(axis=0, dtype=np.int64).cumsum()
    centre = int(np.searchsorted(area, area[-1] / 2, side="right"))
    if centre in (0, width):
        return None
    half = size // 2
    if centre - half <= 0 or centre + half >= width:
        padded = np.zeros((size, width + 2 * half), np.uint8)
        padded[:, half : half + width] = scaled
        return padded[:, centre : centre + 2 * half]
    return np.asarray(scaled[:, centre - half : centre + half], np.uint8)
