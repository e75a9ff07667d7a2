"""CCGR as its authors distribute it, and CCGR-Mini, which has colours too."""

import tempfile
from pathlib import Path

import cv2
import numpy as np

from . import drawing

TRAIN, TEST = ("1", "12"), ("601", "1000")
TYPES, VIEWS = ("NM1", "BGCL1"), ("180_a.avi", "67_5_2.avi")


def make_ccgr(folder: Path) -> None:
    """Pickles of silhouettes, body parts and poses."""
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        mask = drawing.masks(seed, (64, 64))
        start = folder / "CCGR" / sequence
        view = start.stem
        drawing.write_pickle(start / f"{view}sil-{seed:05}.pkl", mask)
        drawing.write_pickle(start / f"{view}par-{seed:05}.pkl", drawing.parts(mask))
        rows = np.pad(drawing.poses(seed).reshape(len(mask), 51), ((0, 0), (5, 0)))
        drawing.write_pickle(start / f"{view}pose-{seed:05}.pkl", rows)


def make_ccgr_mini(folder: Path) -> None:
    """The same, and videos of people with dark margins."""
    make_ccgr(folder)
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        view = Path(sequence).stem
        path = folder / "CCGR-MINI-RGB-V1" / sequence / f"{view}rgb_f-{seed:05}.avi"
        drawing.write(path, video(drawing.colours(drawing.masks(seed, (96, 96)), seed)))


def video(frames: np.ndarray) -> bytes:
    """An AVI of uint8 [T, h, w, 3], red first."""
    with tempfile.NamedTemporaryFile(suffix=".avi") as file:
        size = frames.shape[2], frames.shape[1]
        writer = cv2.VideoWriter(file.name, cv2.VideoWriter.fourcc(*"MJPG"), 25, size)
        for frame in frames:
            writer.write(frame[..., ::-1].copy())
        writer.release()
        return Path(file.name).read_bytes()
