"""FreeGait as its authors distribute it."""

from pathlib import Path

import numpy as np

from . import drawing

TRAIN, TEST = ("1231", "0081"), ("0001", "1251")
TYPES, VIEWS = ("devid_3", "devid0"), ("seq_00_new", "seq_04")


def make_freegait(folder: Path) -> None:
    """A folder a modality, which holds one pickle of the same name."""
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        mask = drawing.masks(seed, (64, 64))
        content = {
            "image": mask,
            "lidar": drawing.clouds(seed),
            "range_pkl": drawing.colours(mask, seed),
            "smpl": np.zeros((len(mask), 85), np.float32),
            "kp3d": drawing.poses(seed).astype(np.float32),
        }
        for name, array in content.items():
            drawing.write_pickle(folder / f"FreeGait/{sequence}/{name}/{name}.pkl", array)
