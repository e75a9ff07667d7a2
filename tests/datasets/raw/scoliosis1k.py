"""Scoliosis1K as its authors distribute it: pickles, and raw."""

from pathlib import Path

from . import drawing

TRAIN, TEST = ("00000", "00001", "00002"), ("00003", "00004", "00005")
TYPES = ("Positive", "Neutral", "Negative")
VIEW = "000_180"


def make_scoliosis1k(folder: Path) -> None:
    """Pickles of silhouettes and of poses, of the same names; everybody has one class."""
    for seed, identity in enumerate(TRAIN + TEST):
        name = f"{identity}/{TYPES[seed % 3]}/{VIEW}/{VIEW}.pkl"
        mask = drawing.masks(seed, (64, 64))
        drawing.write_pickle(folder / "Scoliosis1K-sil-pkl" / name, mask)
        drawing.write_pickle(folder / "Scoliosis1K-pose-pkl" / name, drawing.poses(seed))


def make_scoliosis1k_raw(folder: Path) -> None:
    """Images of silhouettes, and JSON files of poses."""
    for seed, identity in enumerate(TRAIN + TEST):
        name = f"{identity}/{TYPES[seed % 3]}/{VIEW}"
        for number, mask in enumerate(drawing.masks(seed)):
            drawing.write_image(folder / f"Scoliosis1K-sil-raw/{name}/{number:04}.png", mask)
        for number, pose in enumerate(drawing.poses(seed)):
            people = [{"pose_keypoints_2d": pose.ravel().tolist()}]
            path = folder / f"Scoliosis1K-pose-raw/{name}/{number:04}.json"
            drawing.write_json(path, {"people": people})
