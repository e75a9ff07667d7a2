"""The crops of CCPG in colour, not stretched but padded, for networks that read nothing else.

The people, split and raw files are those of `ccpg`; a tree of its own, because colours of both
shapes would take two times the disk.
"""

import cv2
import numpy as np

from gaitjax.datasets import Dataset, Raw, ccpg, readers

HEIGHT, WIDTH = 256, 128


def padded(image: np.ndarray, height: int = HEIGHT, width: int = WIDTH) -> np.ndarray:
    """Scales an image to a height, and pads or cuts both of its sides to a width.

    The same to the pixel as OpenGait's `datasets/pretreatment_rgb.py`.

    Args:
        image: uint8 [h, w, 3].
        height: of the result, pixels.
        width: of the result, pixels.

    Returns:
        uint8 [height, width, 3].
    """
    scaled_width = image.shape[1] * height // image.shape[0]
    scaled = cv2.resize(image, (scaled_width, height))
    left = (width - scaled_width) // 2
    if left < 0:
        return scaled[:, -left : width - left]
    return np.pad(scaled, ((0, 0), (left, width - scaled_width - left), (0, 0)))


def rgb(path: str, content: bytes, size: int) -> np.ndarray:
    """A crop in colour, padded: uint8 [1, 256, 128, 3]."""
    return padded(readers.rgb(path, content, size)[0])[None]


DATASET = Dataset(
    title="CCPG in colour",
    files={"rgb": "*-aligned-rgbs.pkl", "ratio": "*-ratios.pkl"},
    protocols=ccpg.DATASET.protocols,
    split=ccpg.split,
    expected=ccpg.DATASET.expected,
    raw=(Raw("rgb", ccpg.COLOUR, rgb, "{view}-aligned-rgbs.pkl"), ccpg.RAW_RATIO),
)
