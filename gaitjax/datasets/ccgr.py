"""CCGR: 970 people, 53 covariates, 33 views.

Zou et al., "Cross-covariate gait recognition: a benchmark", AAAI 2024. A type names what is worn,
carried and walked on, such as `BGCL1`; a view keeps the ending of its video, as in `180_a.avi`.
Distributed as pickles of silhouettes, body parts and poses, and as videos in colour.
"""

import tempfile
from collections.abc import Iterator

import cv2
import numpy as np

from gaitjax.datasets import Dataset, Raw, readers
from gaitjax.errors import UserError

SEQUENCE = r"(?:^|/)(?P<identity>\d{1,4})/(?P<type>[A-Z][A-Z\d]*)/(?P<view>[^/]+)/"
VIDEO = SEQUENCE + r"(?P<name>[^/]*)rgb_f(?P<number>[^/]*?)\.avi$"
BOX = (128, 128)  # width and height that people are stretched to, pixels
DARKEST = 15  # grey value; what is darker is the padding of the videos


def rgb(path: str, content: bytes, size: int) -> np.ndarray:
    """The people of a video, without the padding around them.

    Args:
        path: of the video, for errors.
        content: of the file.
        size: without a meaning here.

    Returns:
        uint8 [T, 128, 128, 3].

    Raises:
        UserError: if the video is cut off, or none that can be read.
    """
    del size
    people = (
        cv2.resize(frame, BOX, interpolation=cv2.INTER_AREA) for frame in _read(path, content)
    )
    return np.stack([cv2.cvtColor(person, cv2.COLOR_BGR2RGB) for person in people])


def ratio(path: str, content: bytes, size: int) -> np.ndarray:
    """Width / height of the people of a video: float64 [T]."""
    del size
    return np.array([frame.shape[1] / frame.shape[0] for frame in _read(path, content)])


def pose(path: str, content: bytes, size: int) -> np.ndarray:
    """Key points, of which the authors keep a row a frame after five numbers of the detection.

    Args:
        path: of the pickle, for errors.
        content: of the file.
        size: without a meaning here.

    Returns:
        float32 [T, 17, 3].

    Raises:
        UserError: if it is no pickle, or one of anything else.
    """
    array = readers.pickle(path, content, size)
    if array.ndim != 2 or array.shape[1] != 56:
        raise UserError(
            f"{path}: an array {list(array.shape)}; poses of CCGR are [frames, 5 + 17 * 3]"
        )
    return array[:, 5:].reshape(-1, 17, 3).astype(np.float32)


def unpadded(frame: np.ndarray) -> np.ndarray:
    """A frame without its dark margins; as it is where all of it is dark.

    Args:
        frame: uint8 [h, w, 3], blue first.
    """
    bright = cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY) > DARKEST
    rows, columns = np.flatnonzero(bright.any(axis=1)), np.flatnonzero(bright.any(axis=0))
    if not len(rows):
        return frame
    return frame[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _read(path: str, content: bytes) -> list[np.ndarray]:
    """The frames of a video, unpadded."""
    if len(content) < 8 + int.from_bytes(content[4:8], "little"):  # the length that RIFF states
        raise UserError(f"{path}: video is cut off")
    with tempfile.NamedTemporaryFile(suffix=".avi") as file:  # OpenCV reads videos from files alone
        file.write(content)
        file.flush()
        frames = list(_frames(cv2.VideoCapture(file.name)))
    if not frames:
        raise UserError(f"{path}: no video that can be read")
    return frames


def _frames(video: cv2.VideoCapture) -> Iterator[np.ndarray]:
    while (frame := video.read()[1]) is not None:
        yield unpadded(frame)


DATASET = Dataset(
    title="CCGR",
    files={
        "ratio": "000-*.pkl",
        "rgb": "001-*.pkl",
        "silhouette": "002-*.pkl",
        "parsing": "003-*.pkl",
        "pose": "004-*.pkl",
    },
    partition="OpenGait's datasets/CCGR/CCGR.json",
    expected={"train": 571, "test": 400},
    raw=(
        Raw("ratio", VIDEO, ratio, "000-{name}ratios{number}.pkl"),
        Raw("rgb", VIDEO, rgb, "001-{name}rgb_f{number}.pkl"),
        Raw(
            "silhouette",
            SEQUENCE + r"(?P<name>[^/]*sil[^/]*)\.pkl$",
            readers.pickle,
            "002-{name}.pkl",
        ),
        Raw(
            "parsing", SEQUENCE + r"(?P<name>[^/]*par[^/]*)\.pkl$", readers.pickle, "003-{name}.pkl"
        ),
        Raw("pose", SEQUENCE + r"(?P<name>[^/]*pose[^/]*)\.pkl$", pose, "004-{name}.pkl"),
    ),
)
