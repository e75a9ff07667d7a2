"""CCPG: 200 people who change their clothes, seen by 10 cameras.

Li et al., "An in-depth exploration of person re-identification and gait recognition in
cloth-changing conditions", CVPR 2023. A type such as `U0_D0_BG` says what is worn above and below,
and whether a bag is carried; a view is the camera and the number of the walk. Distributed as crops
in colour (JPEG) and their masks (PNG) of the same names. `ccpg_rgb` is for networks that read the
crops alone.
"""

import dataclasses
from collections.abc import Sequence

import cv2
import numpy as np

from gaitjax.datasets import Dataset, Protocol, Raw, readers
from gaitjax.datasets.normalise import cut, locate
from gaitjax.errors import UserError

FRAME = r"(?P<identity>\d{3})/(?P<type>U\d[^/]*)/(?P<view>[^/]+)/(?P<frame>[^/.]+)[^/]*"
COLOUR, MASK = FRAME + r"\.jpe?g$", FRAME + r"\.png$"
BOX = (128, 128)  # width and height that crops are stretched to, pixels


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """000 to 099 train, 100 to 199 test, whatever is on disk."""
    del identities
    return [f"{i:03}" for i in range(100)], [f"{i:03}" for i in range(100, 200)]


def silhouette(path: str, content: bytes, size: int) -> np.ndarray:
    """The common cut of a mask as CCPG's authors make it: by areas, and of masks of any size.

    Masks whose first column holds half of the person are left out; OpenGait keeps them here.

    Args:
        path: of the image, for errors.
        content: of the file.
        size: height and width of the result, pixels.

    Returns:
        uint8 [1, size, size].

    Raises:
        UserError: if it is no image or shows nobody.
    """
    mask = readers.image(path, content, size)[0]
    found = locate(mask, size, cv2.INTER_AREA, smallest=0)
    if found is None:
        raise UserError(f"{path}: empty frame")
    return cut(mask, found, cv2.INTER_AREA)[None]


def stretched_rgb(path: str, content: bytes, size: int) -> np.ndarray:
    """A crop in colour, stretched to one size: uint8 [1, 128, 128, 3]."""
    return np.asarray(cv2.resize(readers.rgb(path, content, size)[0], BOX)[None])


def stretched_mask(path: str, content: bytes, size: int) -> np.ndarray:
    """The mask of a crop, stretched as that is: uint8 [1, 128, 128]."""
    return np.asarray(cv2.resize(readers.image(path, content, size)[0], BOX)[None])


# What changes: all that is worn (CL), the upper part (UP), the lower part (DN), or a bag (BG).
REID_STYLE = Protocol(
    gallery={
        "CL": ("U1_D1", "U2_D2", "U3_D3"),
        "UP": ("U0_D3",),
        "DN": ("U1_D1",),
        "BG": ("U0_D0",),
    },
    probes={
        "CL": ("U0_D0_BG", "U0_D0"),
        "UP": ("U3_D3",),
        "DN": ("U1_D0",),
        "BG": ("U0_D0_BG",),
    },
    gallery_views="all",
    exclude="view",
    viewpoint="/([^/_]*)[^/]*$",
)
GAIT_STYLE = dataclasses.replace(REID_STYLE, gallery_views="single", ranks=(1,))
RAW_RATIO = Raw("ratio", COLOUR, readers.ratio, "{view}-ratios.pkl")
DATASET = Dataset(
    title="CCPG",
    files={
        "silhouette": "*aligned-sils*.pkl|*Sils_96x48.pkl|{view}.pkl|*sil.pkl|*.pkl",
        "rgb": "*-rgbs.pkl",
        "mask": "{view}-sils.pkl",
        "ratio": "*-ratios.pkl",
        "heatmap": "*heatmap.pkl",
        "parsing": "*parsing.pkl",
        "flow": "*flow.pkl",
        "pose": "*pose.pkl",
        "latents": "*DenoisingFea*.pkl",
    },
    protocols={
        "reid-style": REID_STYLE,
        "gait-style": GAIT_STYLE,
        "gait-style-own-view": dataclasses.replace(GAIT_STYLE, exclude="none"),
    },
    split=split,
    expected={"train": 100, "test": 100},
    raw=(
        Raw("silhouette", MASK, silhouette, "{view}-aligned-sils.pkl"),
        Raw("mask", MASK, stretched_mask, "{view}-sils.pkl"),
        Raw("rgb", COLOUR, stretched_rgb, "{view}-rgbs.pkl"),
        RAW_RATIO,
    ),
)
