"""HID as its organisers distribute it: in 2022, and since then."""

from pathlib import Path

from tests.archives import packed_zip, tar

from . import drawing

TRAIN, GALLERY, PROBES = ("0000", "0001"), ("0500", "0501"), ("000731", "000012")
SINCE = ("00000", "00001")


def make_hid(folder: Path) -> None:
    """Images, cut: training and gallery as identity/walk, probes as the number of the video."""
    drawing.write(folder / "train.tar", tar(_people("train", TRAIN), ""))
    gallery = packed_zip(_people("HID2022_test_gallery", GALLERY))
    drawing.write(folder / "HID2022_test_gallery.zip", gallery)
    probes = {n: f for i, v in enumerate(PROBES) for n, f in _images(f"probe/{v}", i).items()}
    drawing.write(folder / "HID2022_test_probe.zip", packed_zip(probes))


def make_hid_since_2023(folder: Path) -> None:
    """Pickles, without a training set."""
    gallery = {f"gallery/{i}/0/00/00.pkl": _pickle(s) for s, i in enumerate(SINCE)}
    drawing.write(folder / "gallery.tar.gz", tar(gallery))
    probes = {f"probe_phase1/0/{v}/{v}.pkl": _pickle(s) for s, v in enumerate(PROBES)}
    drawing.write(folder / "probe_phase1.tar.gz", tar(probes))


def _people(start: str, identities: tuple[str, ...]) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for seed, identity in enumerate(identities):
        for walk in ("000", "001"):
            files |= _images(f"{start}/{identity}/{walk}", seed)
    return files


def _images(folder: str, seed: int) -> dict[str, bytes]:
    masks = enumerate(drawing.masks(seed, (128, 128)))
    return {f"{folder}/{number:04}.png": drawing.png(mask) for number, mask in masks}


def _pickle(seed: int) -> bytes:
    return drawing.pickled(drawing.masks(seed, (128, 128)))
