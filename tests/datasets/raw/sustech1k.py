"""SUSTech1K as its authors distribute it: the pickles, and RAW."""

import io
import tarfile
import zipfile
from pathlib import Path

import numpy as np

from . import drawing

TRAIN, TEST = ("0000", "0002"), ("0001", "0003")
TYPES = ("00-nm", "01-nm", "02-bg-cl-cr", "03-ub-uf-oc-nt")  # every condition
VIEWS = ("000", "090")


def make_sustech1k(folder: Path) -> None:
    """A ZIP that holds an archive an identity."""
    path = folder / "SUSTech1K-pkl.zip"
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as outer:
        for seed, identity in enumerate(TRAIN + TEST):
            stream = io.BytesIO()
            with tarfile.open(fileobj=stream, mode="w:gz") as inner:
                for _, sequence in drawing.sequences((identity,), TYPES, VIEWS):
                    for name, pickled in pickles(seed, Path(sequence).name).items():
                        member = tarfile.TarInfo(f"{sequence}/{name}")
                        member.size = len(pickled)
                        inner.addfile(member, io.BytesIO(pickled))
            outer.writestr(f"SUSTech1K-Released-pkl/{identity}.tar.gz", stream.getvalue())


def pickles(seed: int, view: str) -> dict[str, bytes]:
    """The sixteen of a sequence, by name."""
    mask = drawing.masks(seed, (64, 64))
    rgb = np.moveaxis(drawing.colours(mask, seed), 3, 1)
    kinds = {
        "LiDAR-PCDs": drawing.clouds(seed),
        "LiDAR-PCDs_depths": rgb,
        "LiDAR-PCDs_sils": mask,
        "Camera-Pose": drawing.poses(seed),
        "Camera-Ratios-HW": np.tile([300, 120], (len(mask), 1)),
        "Camera-RGB_raw": rgb,
        "Camera-Sils_aligned": mask,
        "Camera-Sils_raw": mask,
    }
    named = {f"{i:02}-{view}-{kind}.pkl": kind for i, kind in enumerate(kinds)}
    named |= {f"{i:02}-sync-{view}-{kind}.pkl": kind for i, kind in enumerate(kinds, 8)}
    return {name: drawing.pickled(kinds[kind]) for name, kind in named.items()}


def make_sustech1k_raw(folder: Path) -> None:
    """RAW: images, and clouds of points at times of their own."""
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        start = folder / "SUSTech1K-Released-2023" / sequence
        for number, mask in enumerate(drawing.masks(seed, (300, 120))):
            time = f"{1660000000 + number}"
            crop = drawing.colours(mask, seed)
            drawing.write_image(start / f"RGB_raw/{time}00.jpg", crop)
            drawing.write_image(start / f"Sils_raw/{time}00.png", mask)
            drawing.write_image(start / f"Sils_aligned/{time}00.png", mask[:, ::2])
        for number, cloud in enumerate(drawing.clouds(seed)):
            drawing.write(start / f"PCDs/{1660000000 + number}.05.pcd", pcd(cloud))


def pcd(cloud: np.ndarray, data: str = "binary") -> bytes:
    """A file of the Point Cloud Library, with an intensity beside x, y and z."""
    head = (
        "# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\nFIELDS intensity x y z\n"
        "SIZE 4 4 4 4\nTYPE F F F F\nCOUNT 1 1 1 1\n"
        f"WIDTH {len(cloud)}\nHEIGHT 1\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {len(cloud)}\nDATA {data}\n"
    ).encode()
    rows = np.pad(cloud, ((0, 0), (1, 0)), constant_values=7).astype("<f4")
    if data == "binary":
        return head + rows.tobytes()
    return head + "".join(" ".join(map(str, row)) + "\n" for row in rows.tolist()).encode()
