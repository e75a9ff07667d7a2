"""GREW as its authors distribute it."""

from pathlib import Path

from tests.archives import packed_zip, tar

from . import drawing

TRAIN, TEST = ("00001", "00002"), ("00001", "00003")  # two people have one number
WALKS = ("zR8vE2aa", "4XPn5Z28")


def make_grew(folder: Path) -> None:
    """Two ZIPs, each of an archive that holds an archive for each person; and distractors."""
    people = {f"train/{i}.tgz": tar(_walks(f"{i}/", s)) for s, i in enumerate(TRAIN)}
    drawing.write(folder / "train.zip", packed_zip({"train.tgz": tar(people)}))
    people = {f"test/gallery/{i}.tgz": tar(_walks(f"{i}/", s)) for s, i in enumerate(TEST, 2)}
    people["test/probe/eT1EXpgZ.tgz"] = tar(_walk("eT1EXpgZ", 2))
    drawing.write(folder / "test.zip", packed_zip({"test.tgz": tar(people)}))
    drawing.write(folder / "distractor.zip", packed_zip(_walk("distractor/00001/u7ZZ", 5)))


def _walks(start: str, seed: int) -> dict[str, bytes]:
    return {n: content for walk in WALKS for n, content in _walk(f"{start}{walk}", seed).items()}


def _walk(folder: str, seed: int) -> dict[str, bytes]:
    """Silhouettes of 64 x 64 and the key points of all but the first frame."""
    files = {}
    pairs = zip(drawing.masks(seed, (64, 64)), drawing.poses(seed), strict=True)
    for number, (mask, pose) in enumerate(pairs, 1):
        files[f"{folder}/{number:05}.png"] = drawing.png(mask)
        line = ",".join(map(str, [64, 64, *pose.ravel()])).encode()
        if number > 1:
            files[f"{folder}/{number:05}_2d_pose.txt"] = line
        files[f"{folder}/{number:05}_3d_pose.txt"] = b"0,0,0"
    return files
