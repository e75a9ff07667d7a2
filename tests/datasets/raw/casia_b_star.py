"""CASIA-B* as its authors distribute it."""

from pathlib import Path

import numpy as np

from . import drawing

TRAIN, TEST = ("001", "002"), ("075", "076")
TYPES, VIEWS = ("nm-01", "nm-05", "bg-01", "cl-01"), ("000", "090")


def make_casia_b_star(folder: Path) -> None:
    """Four pickles a sequence."""
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        mask = drawing.masks(seed, (128, 128))
        content = {
            "aligned-sils": drawing.masks(seed, (64, 44)),
            "ratios": np.full(len(mask), 0.4),
            "rgbs": np.moveaxis(drawing.colours(mask, seed), 3, 1),
            "sils": mask,
        }
        for name, array in content.items():
            view = Path(sequence).name
            drawing.write_pickle(folder / sequence / f"{view}-{name}.pkl", array)
