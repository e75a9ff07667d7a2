"""Gait3D as its authors distribute it."""

import io
from pathlib import Path

import numpy as np

from . import drawing

TRAIN, TEST = ("0000", "0004"), ("0002", "0007")
TYPES, VIEWS = ("camid0_videoid2", "camid9_videoid1"), ("seq0",)


def make_gait3d(folder: Path) -> None:
    """2D_Silhouettes, 2D_Poses and 3D_SMPLs, whose frames have the same numbers."""
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        for number, (mask, pose) in enumerate(
            zip(drawing.masks(seed), drawing.poses(seed), strict=True), 998
        ):
            name = f"{sequence}/human_crop_f{number}"
            drawing.write_image(folder / f"2D_Silhouettes/{name}.png", mask)
            line = ",".join(map(str, [80, 60, *pose.ravel()]))
            drawing.write(folder / f"2D_Poses/{name}.txt", line.encode())
            drawing.write(folder / f"3D_SMPLs/{name}.npz", smpl(number))


def smpl(number: int) -> bytes:
    """An NPZ of ROMP: a list of people, each a dictionary of arrays."""
    person = {
        "cam": np.full(3, number, np.float16),
        "poses": np.zeros(72, np.float32),
        "betas": np.ones(10, np.float32),
        "verts": np.zeros((20, 3), np.float16),
    }
    stream = io.BytesIO()
    np.savez(stream, results=np.array([person]))
    return stream.getvalue()
