"""CASIA-B as its authors distribute it."""

from pathlib import Path

from tests.archives import packed_zip, tar

from . import drawing

TRAIN, TEST = ("001", "002"), ("075", "076")
TYPES, VIEWS = ("nm-01", "nm-05", "bg-01", "cl-01"), ("000", "090")


def make_casia_b(folder: Path) -> None:
    """A ZIP with an archive for each person, which holds energy images too."""
    people = {}
    for seed, identity in enumerate(TRAIN + TEST):
        images = {}
        for _, sequence in drawing.sequences((identity,), TYPES, VIEWS):
            for number, mask in enumerate(drawing.masks(seed), 1):
                name = f"{sequence}/{sequence.replace('/', '-')}-{number:03}.png"
                images[name] = drawing.png(mask)
            images[f"{sequence}/gei.png"] = drawing.png(mask)
        people[f"GaitDatasetB-silh/{identity}.tar.gz"] = tar(images)
    drawing.write(folder / "GaitDatasetB-silh.zip", packed_zip(people))
