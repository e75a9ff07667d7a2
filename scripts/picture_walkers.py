"""Draws the README's picture of the synthetic walkers.

python scripts/picture_walkers.py OUT.png
"""

import argparse
from pathlib import Path

import cv2
import numpy as np

from gaitjax.datasets.synthetic.modalities import silhouette
from gaitjax.datasets.synthetic.sequence import shoot

IDENTITIES = ("001", "003", "009")
TYPES = ("nm-01", "bg-01", "cl-01")
VIEWS = ("000", "036", "072", "090", "126", "180")
FRAMES = (0, 8)  # of each sequence
HEAD, SIDE, GAP = 22, 62, 8  # pixels for the views' names, for the types', between two groups
INK, PAPER = 235, 24


def write(picture: np.ndarray, text: str, x: int, y: int) -> None:
    """Writes a label whose lower left corner is at (x, y)."""
    cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.45, INK, 1, cv2.LINE_AA)


def draw() -> np.ndarray:
    """A row a sequence, a pair of frames a view: uint8 [height, width]."""
    group = len(TYPES) * 64 + GAP
    pair = len(FRAMES) * 64 + GAP
    picture = np.full((HEAD + len(IDENTITIES) * group, SIDE + len(VIEWS) * pair), PAPER, np.uint8)
    for column, view in enumerate(VIEWS):
        write(picture, f"view {view}", SIDE + column * pair + 28, 16)
    for i, identity in enumerate(IDENTITIES):
        for j, sequence in enumerate(TYPES):
            top = HEAD + i * group + j * 64
            write(picture, identity, 6, top + 28)
            write(picture, sequence, 6, top + 44)
            for column, view in enumerate(VIEWS):
                shot = shoot(0, identity, sequence, view, (30, 30))
                frames = silhouette(shot)[list(FRAMES)]
                left = SIDE + column * pair
                cell = picture[top : top + 64, left : left + len(FRAMES) * 64]
                cell[:] = np.maximum(PAPER, np.hstack(list(frames)) // 16 * 16)
    return picture


def main() -> None:
    """Writes the picture to the path on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path, help="the PNG to write")
    path = parser.parse_args().path
    ok, png = cv2.imencode(".png", draw(), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert ok
    path.write_bytes(png.tobytes())


if __name__ == "__main__":
    main()
