"""Errors of segmentation, as masks cut out of real video have them."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.synthetic.camera import HEIGHT, WIDTH
from gaitjax.datasets.synthetic.draws import Ranges, draw
from gaitjax.datasets.synthetic.render import Mask, Window

VIDEO: Ranges = {
    "ragged": (15.0, 60.0),  # grey values by which the softened edge is disturbed
    "contrast": (1.5, 3.2),  # standard deviations at which the background looks like clothes
    "no_feet": (0.0, 0.4),  # share of the frames that lose their lowest rows
}
LOST = 0.06  # share of the height that such a frame loses at most
GRAIN, PATCH = 3, 8  # pixels between independent errors of edges, and of the background


def spoil(windows: Sequence[Window], rng: np.random.Generator) -> list[Mask]:
    """The masks as the segmentation of one video would find them.

    Args:
        windows: masks of the frames, from `render.masks`.
        rng: draws the faults of the video, and where they strike.

    Returns:
        uint8 masks of the same sizes, 0 or 255.
    """
    video = draw(rng, VIDEO)
    disturbed = 128 + video["ragged"] * _texture(rng, GRAIN)
    grain = np.clip(disturbed, 1, 254).astype(np.uint8)  # too little to reach beyond the edge
    unlike = np.where(_texture(rng, PATCH) < video["contrast"], np.uint8(255), np.uint8(0))
    where = rng.random((len(windows), 2))
    lost = LOST * rng.random(len(windows)) * (rng.random(len(windows)) < video["no_feet"])
    spoilt = []
    for (mask, (x, y)), (down, right), share in zip(windows, where, lost, strict=True):
        h, w = mask.shape
        top, left = int(down * (HEIGHT - h + 1)), int(right * (WIDTH - w + 1))
        soft = cv2.blur(mask, (3, 3))
        strayed = cv2.addWeighted(soft, 1, grain[top : top + h, left : left + w], 1, -128)
        _, found = cv2.threshold(strayed, 127, 255, cv2.THRESH_BINARY)
        # Holes belong to the background: people walk past them.
        found = cv2.bitwise_and(found, unlike[y : y + h, x : x + w])
        spoilt.append(_without_feet(np.asarray(found, np.uint8), share))
    return spoilt


def _texture(rng: np.random.Generator, grain: int) -> NDArray[np.float32]:
    """Smooth noise of about unit variance over the image, independent beyond `grain` pixels."""
    rough = rng.standard_normal((HEIGHT // grain, WIDTH // grain), dtype=np.float32)
    return np.asarray(cv2.resize(rough, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC), np.float32)


def _without_feet(mask: Mask, share: float) -> Mask:
    """Without the lowest rows: that share of the body's height."""
    if share and mask.any():
        rows = np.flatnonzero(mask.any(axis=1))
        mask[rows[-1] + 1 - int(share * len(rows)) :] = 0
    return mask
