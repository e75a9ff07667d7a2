"""CCPG as its authors distribute it."""

from pathlib import Path

from . import drawing

TRAIN, TEST = ("000", "001"), ("100", "101")
TYPES, VIEWS = ("U0_D0", "U3_D3"), ("00_0", "04_1")


def make_ccpg(folder: Path) -> None:
    """Crops in colour and their masks, in two folders."""
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        for number, mask in enumerate(drawing.masks(seed)):
            name = f"{sequence}/{number:05}"
            crop = drawing.colours(mask, seed)
            drawing.write_image(folder / f"CCPG_D_MASK_FACE_SHOE/{name}.jpg", crop)
            drawing.write_image(folder / f"CCPG_G_SIL/{name}.png", mask)


make_ccpg_rgb = make_ccpg
