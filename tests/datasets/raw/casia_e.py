"""CASIA-E as its authors distribute it."""

from pathlib import Path

from tests.archives import packed_zip, tar

from . import drawing

TRAIN, TEST = ("001", "002"), ("501", "615", "1014")
TYPES, VIEWS = ("H/scene1/nm", "L/scene2/bg"), ("000", "090")


def make_casia_e(folder: Path) -> None:
    """Three ZIPs with an archive for each person; the second walks have too few frames."""
    parts = {"train001-500": TRAIN, "val501-614": TEST[:1], "test615-1014": TEST[1:]}
    for seed, (part, identities) in enumerate(parts.items()):
        people = {f"{i}.tar": _person(i, 2 * seed + n) for n, i in enumerate(identities)}
        drawing.write(folder / f"{part}.zip", packed_zip(people))


def _person(identity: str, seed: int) -> bytes:
    files = {}
    for _, sequence in drawing.sequences((identity,), TYPES, VIEWS):
        for number, frames in ((1, 6), (2, 5)):
            for frame, mask in enumerate(drawing.masks(seed, (128, 128), frames)):
                files[f"forTrain/{sequence}/{number}/{frame:04}.jpg"] = drawing.jpeg(mask)
    return tar(files, "")
