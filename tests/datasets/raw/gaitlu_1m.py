"""GaitLU-1M as its authors distribute it, unpacked, its folder `silhouette_cut_pkl`."""

from pathlib import Path

from . import drawing


def make_gaitlu_1m(folder: Path) -> None:
    """Three levels of numbers, and a pickle that is named after all of them."""
    numbers = ("000", "001")
    for seed, sequence in drawing.sequences(numbers, numbers, numbers):
        name = f"{sequence}/{sequence.replace('/', '_')}.pkl"
        drawing.write_pickle(folder / name, drawing.masks(seed, (64, 64)))
