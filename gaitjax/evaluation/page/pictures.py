"""Small pictures of sequences, as data of a page."""

import base64
from typing import NamedTuple, Protocol

import cv2
import numpy as np

from gaitjax.errors import UserError
from gaitjax.evaluation.embed import Sequences

PICTURED = ("silhouette", "mask", "parsing", "depth", "rgb")  # the first that a sequence has
AVERAGED = 120  # frames of a sequence at most, evenly spaced
FRAMES = 4  # of those that are shown
HEIGHT = 64  # pixels


class Readable(Sequences, Protocol):
    """What frames are read from, such as `gaitjax.data.sequences.Sequences`."""

    def has(self, row: int, modality: str) -> bool:
        """Whether a sequence has a modality."""


class Pictures(NamedTuple):
    """Data URIs: the energy image, and some frames side by side."""

    energy: str
    frames: str


def pictures(sequences: Readable, row: int) -> Pictures | None:
    """The energy image (the mean frame) and some frames; None where there are no images to read.

    Args:
        sequences: whose frames are read.
        row: which of them.
    """
    modality = next((m for m in PICTURED if sequences.has(row, m)), None)
    if modality is None:
        return None
    try:
        frames = sequences.frames(row, (modality,))[modality]
    except UserError:  # it was scored from its embedding; the page says that there is no picture
        return None
    chosen = frames[np.linspace(0, len(frames) - 1, min(len(frames), AVERAGED)).astype(int)]
    if modality == "parsing":
        chosen = np.where(chosen > 0, 255, 0).astype(np.uint8)
    chosen = _upright(chosen)
    shown = chosen[np.linspace(0, len(chosen) - 1, FRAMES).astype(int)]
    return Pictures(_png(chosen.mean(0).astype(np.uint8)), _png(np.concatenate([*shown], axis=1)))


def _upright(frames: np.ndarray) -> np.ndarray:
    """Squares without their sides, as networks read them: 44 of 64 columns."""
    height, width = frames.shape[1:3]
    side = 10 * width // 64 if height == width else 0
    return frames[:, :, side : width - side]


def _png(image: np.ndarray) -> str:
    """A data URI of an image [H, W] or [H, W, RGB], HEIGHT pixels high."""
    size = (max(1, round(image.shape[1] * HEIGHT / image.shape[0])), HEIGHT)
    if image.shape[0] != HEIGHT:
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    encoded = cv2.imencode(".png", image[..., ::-1] if image.ndim == 3 else image)[1]
    return f"data:image/png;base64,{base64.b64encode(encoded.tobytes()).decode()}"
