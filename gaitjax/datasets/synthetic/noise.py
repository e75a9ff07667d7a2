"""Errors of segmentation, as masks cut out of real video have them."""

from collections.abc import Iterable

import cv2
import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.synthetic.camera import HEIGHT, WIDTH
from gaitjax.datasets.synthetic.draws import Ranges, draw
from gaitjax.datasets.synthetic.render import Mask, Window

VIDEO: Ranges = {
    "ragged": (0.2, 0.8),  # how far edges stray
    "unlike": (2.0, 4.0),  # patches of the background beyond it look like the clothes: holes
    "no_feet": (0.0, 0.35),  # share of the frames that lose their lowest rows
}
LOST = 0.06  # share of the height that such a frame loses at most
GRAIN, PATCH = 2, 7  # pixels between independent errors of edges, and of the background


def spoil(windows: Iterable[Window], rng: np.random.Generator) -> list[Mask]:
    """The masks as the segmentation of one video would find them.

    Args:
        windows: masks of the frames, from `render.masks`.
        rng: draws the faults of the video, and where they strike.

    Returns:
        uint8 masks of the same sizes, 0 or 255.
    """
    video = draw(rng, VIDEO)
    grain = np.clip(128 + 64 * video["ragged"] * _texture(rng, GRAIN), 0, 255).astype(np.uint8)
    kept = (_texture(rng, PATCH) < video["unlike"]).astype(np.uint8)
    spoilt = []
    for mask, (x, y) in windows:
        h, w = mask.shape
        top, left = rng.integers(0, (HEIGHT - h + 1, WIDTH - w + 1))
        soft = cv2.GaussianBlur(mask, (5, 5), 1.2)
        strayed = cv2.addWeighted(soft, 1, grain[top : top + h, left : left + w], 1, -128)
        found = np.where(strayed > 127, np.uint8(255), np.uint8(0))
        found *= kept[y : y + h, x : x + w]  # patches stay where they are, people walk past
        if rng.random() < video["no_feet"]:
            _lose_feet(found, rng.uniform(0, LOST))
        spoilt.append(found)
    return spoilt


def _texture(rng: np.random.Generator, grain: int) -> NDArray[np.float32]:
    """Smooth noise of about unit variance over the image, independent beyond `grain` pixels."""
    rough = rng.standard_normal((HEIGHT // grain, WIDTH // grain), dtype=np.float32)
    return np.asarray(cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def _lose_feet(mask: Mask, share: float) -> None:
    """Empties the lowest rows: that share of the body's height."""
    rows = np.flatnonzero(mask.any(axis=1))
    if len(rows):
        mask[rows[-1] - int(share * len(rows)) + 1 :] = 0
