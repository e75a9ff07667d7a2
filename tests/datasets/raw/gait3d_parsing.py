"""Gait3D-Parsing as its authors distribute it, without the folders of Gait3D."""

from pathlib import Path

from . import drawing
from .gait3d import TEST, TRAIN, TYPES, VIEWS


def make_gait3d_parsing(folder: Path) -> None:
    """2D_Parsings: images of the numbers of body parts."""
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        for number, mask in enumerate(drawing.masks(seed), 998):
            name = f"2D_Parsings/{sequence}/human_crop_f{number}.png"
            drawing.write_image(folder / name, drawing.parts(mask))
