"""A dataset in small, as its authors would distribute it: masks that walk, and their key points."""

from pathlib import Path

import cv2
import numpy as np
import py7zr

from gaitjax.datasets import Dataset, Name, Raw
from gaitjax.datasets.normalise import normalise
from gaitjax.errors import UserError

FRAME = r"(?P<identity>\d{3})/(?P<type>[a-z]{2}-\d\d)/(?P<view>\d{3})/(?P<frame>\d+)"


def silhouette(path: str, content: bytes, size: int) -> np.ndarray:
    mask = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if mask is None or mask.ndim != 2:
        raise UserError(f"{path}: no grey image")
    found = normalise(mask, size)
    if found is None:
        raise UserError(f"{path}: empty frame")
    return found[None]


def pose(path: str, content: bytes, size: int) -> np.ndarray:
    del path, size
    return np.array(content.decode().split(","), np.float32).reshape(1, -1, 3)


def split(identities):
    del identities
    return ["001"], ["002", "003"]


def numbered(names):
    """The types of an identity become 00, 01, ..."""
    types = sorted({name.type for name in names})
    return [Name(name.identity, f"{types.index(name.type):02}", name.view) for name in names]


SILHOUETTE = Raw("silhouette", FRAME + r"\.png$", silhouette)
POSE = Raw("pose", FRAME + r"_pose\.txt$", pose, "pose.pkl")
DATASET = Dataset(
    title="walkers",
    files={"silhouette": "{view}.pkl", "pose": "pose.pkl"},
    split=split,
    expected={"train": 1, "test": 2},
    raw=(SILHOUETTE, POSE),
)


def mask(seed: int) -> bytes:
    """A PNG of somebody."""
    image = np.zeros((60, 80), np.uint8)
    cv2.ellipse(image, (30 + seed % 20, 30), (8, 25), 0, 0, 360, 255, -1)
    return png(image)


def png(image: np.ndarray) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def raw(frames: int = 6, poses: bool = True) -> dict[str, bytes]:
    """Path -> content, of 3 identities of 2 types and 2 views."""
    files = {}
    for identity in ("001", "002", "003"):
        for type_ in ("bg-01", "nm-01"):
            for view in ("000", "090"):
                for i in range(frames):
                    stem = f"{identity}/{type_}/{view}/{i:03}"
                    files[f"{stem}.png"] = mask(i + int(identity))
                    if poses:
                        files[f"{stem}_pose.txt"] = ",".join(map(str, range(i, i + 6))).encode()
    return files


def write_folder(root: Path, files: dict[str, bytes]) -> Path:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


def write_7z(path: Path, files: dict[str, bytes], password: str | None = None) -> Path:
    with py7zr.SevenZipFile(path, "w", password=password) as archive:
        for name, content in files.items():
            archive.writestr(content, name)
    return path


def by_identity(files: dict[str, bytes]) -> dict[str, dict[str, bytes]]:
    found: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        found.setdefault(path.partition("/")[0], {})[path] = content
    return found
