"""CASIA-E: 1,014 people, 26 views, three scenes, normal walking, with a bag, in a coat.

Song et al., "CASIA-E: a large comprehensive dataset for gait recognition", TPAMI 2022. The split is
OpenGait's, not the authors': 200 people to train. A type is height-scene-condition-number, such as
`H-scene1-nm-1`. Distributed as three zips with an archive for each person inside.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from gaitjax.datasets import Dataset, Protocol, Raw, readers
from gaitjax.errors import UserError

UNUSED = "!*/270"  # OpenGait scores the other 25 views
SHORTEST = 6  # frames of a sequence; OpenGait leaves out what is shorter


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """001 to 200 train, 201 to 1014 test, whatever is on disk."""
    del identities
    return [f"{i:03}" for i in range(1, 201)], [f"{i:03}" for i in range(201, 1_015)]


def silhouette(path: str, content: bytes, size: int) -> np.ndarray:
    """A mask, which the authors cut already, of another size: uint8 [1, size, size].

    Args:
        path: of the image, for errors.
        content: of the file.
        size: height and width of the result, pixels.

    Raises:
        UserError: if it is no whole image.
    """
    mask = readers.image(path, content, size)
    return mask if mask.shape[1] == size else cv2.resize(mask[0], (size, size))[None]


def long_enough(frames: Sequence[np.ndarray]) -> np.ndarray:
    """The frames of a sequence, stacked.

    Raises:
        UserError: if they are too few.
    """
    if len(frames) < SHORTEST:
        raise UserError(f"a sequence of {len(frames)} frames, fewer than {SHORTEST}")
    return np.concatenate(frames)


DATASET = Dataset(
    title="CASIA-E",
    files={"silhouette": "{view}.pkl|*.pkl"},
    protocols={
        "single-view": Protocol(
            gallery=("[HL]-scene1-nm-[12]/*", UNUSED),
            probes={
                condition: (
                    f"[HL]-scene[23]-{condition.lower()}-[12]/*",
                    f"[HL]-scene3_s-{condition.lower()}-[12]/*",
                    UNUSED,
                )
                for condition in ("NM", "BG", "CL")
            },
            gallery_views="single",
            exclude="view",
            match="{type}/{view}",
            ranks=(1,),
        )
    },
    split=split,
    expected={"train": 200, "test": 814, "sequences": 778_752},
    raw=(
        Raw(
            "silhouette",
            r"(?P<identity>\d{3,4})/(?P<height>[HL])/(?P<scene>[^/]+)/(?P<condition>[^/]+)/"
            r"(?P<view>\d{3})/(?P<number>\d+)/(?P<frame>[^/]+)\.jpe?g$",
            silhouette,
            type="{height}-{scene}-{condition}-{number}",
            join=long_enough,
        ),
    ),
)
