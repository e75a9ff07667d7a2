"""OU-MVLP and OUMVLP-Pose as their authors distribute them."""

from pathlib import Path

import py7zr

from . import drawing

TRAIN, TEST = ("00001", "00003"), ("00002", "00004")
TYPES, VIEWS = ("00", "01"), ("000", "090")
PASSWORD = "given by the authors"


def make_oumvlp(folder: Path) -> None:
    """An encrypted archive for each view and sequence."""
    folder.mkdir(parents=True)
    for view in VIEWS:
        for type_ in TYPES:
            name = f"Silhouette_{view}-{type_}"
            with py7zr.SevenZipFile(folder / f"{name}.7z", "w", password=PASSWORD) as archive:
                for seed, identity in enumerate(TRAIN + TEST):
                    for number, mask in enumerate(drawing.masks(seed), 1):
                        path = f"{name}/{identity}/{number:04}.png"
                        archive.writestr(drawing.png(mask), path)


def make_oumvlp_pose(folder: Path) -> None:
    """A JSON for each frame; in the second of them nobody, in the third another person too."""
    for seed, sequence in drawing.sequences(TRAIN + TEST, TYPES, VIEWS):
        identity, type_, view = sequence.split("/")
        for number, pose in enumerate(drawing.poses(seed, joints=18), 1):
            people = [pose + (300, 0, -0.4), pose] if number == 3 else [pose][: number != 2]
            listed = [{"pose_keypoints_2d": person.ravel().tolist()} for person in people]
            # 00001 has names of its own
            name = f"{number:04}_keypoints" if identity == "00001" else f"{number:04}"
            path = folder / f"{identity}/{view}_{type_}/{name}.json"
            drawing.write_json(path, {"version": 1.3, "people": listed})
