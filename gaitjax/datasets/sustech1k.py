"""SUSTech1K: 1,050 people, 12 views, recorded by a LiDAR and a camera.

Shen et al., "LidarGait: benchmarking 3D gait recognition with point clouds", CVPR 2023. A type is
the number of the walk and what is changed in it, such as `01-cl` or `02-nt-cl`; probes of a
condition are all whose type names it. Of the sixteen pickles of a sequence 08 to 15 are the first
eight at the times that both sensors have in common; they and 02 (silhouettes of the points) are no
modality here. Unpacked they can be trained on as they are, but for the clouds of points, of which
each has a size of its own, and 04, heights and widths: `gaitjax.prepare` makes arrays of these.
Skeleton maps, body parts and optical flow are of one's own making: `datasets/ln_sil_heatmap.py` of
OpenGait names the first. The release RAW has images and clouds of points, whose depth images are
drawn anew; the points themselves, and the poses, are prepared from the pickles alone.
"""

import re

import cv2
import numpy as np

from gaitjax.datasets import Dataset, Protocol, Raw, readers
from gaitjax.datasets.depth_image import depth_image
from gaitjax.errors import UserError

SEQUENCE = r"(?P<identity>\d{4})/(?P<type>\d\d-[^/]+)/(?P<view>\d{3}[^/]*)/"
CROP = SEQUENCE + r"RGB_raw/[^/]*\.(?:jpe?g|png)$"


def ratio(path: str, content: bytes, size: int) -> np.ndarray:
    """Width / height of boxes, of which the authors keep height and width.

    Args:
        path: of the pickle, for errors.
        content: of the file.
        size: without a meaning here.

    Returns:
        float64 [T].

    Raises:
        UserError: if it is no pickle, or one of anything else.
    """
    array = readers.pickle(path, content, size)
    if array.ndim != 2 or array.shape[1] != 2 or not (array > 0).all():
        raise UserError(
            f"{path}: an array {list(array.shape)}; expected height and width of every frame"
        )
    return np.asarray(array[:, 1] / array[:, 0])


def depth(path: str, content: bytes, size: int) -> np.ndarray:
    """The depth image of a PCD file: uint8 [1, size, size, 3]. Raises as `point_cloud` does."""
    return depth_image(point_cloud(path, content), size)[None]


def point_cloud(path: str, content: bytes) -> np.ndarray:
    """The points of a PCD file, the format of the Point Cloud Library, as text or binary.

    Args:
        path: of the file, for errors.
        content: of the file.

    Returns:
        float64 [P, 3], metres, P at least 1.

    Raises:
        UserError: if it is no such file, or no point of it is finite.
    """
    try:
        points = _points(content)
    except (ValueError, TypeError, LookupError) as error:
        raise UserError(
            f"{path}: no PCD file of points as text or binary (cut off, or compressed?): {error}"
        ) from error
    finite: np.ndarray = points[np.isfinite(points).all(axis=1)]
    if not len(finite):
        raise UserError(f"{path}: empty frame")
    return finite


def _points(content: bytes) -> np.ndarray:
    """All points of a PCD file: float64 [P, 3]."""
    head, kind, data = re.split(rb"(?m)^DATA\s+(\w+)\s*?\n", content, maxsplit=1)
    told = {words[0]: words[1:] for words in map(bytes.split, head.splitlines()) if words}
    names, number = told[b"FIELDS"], int(told[b"POINTS"][0])
    counts = [int(count) for count in told.get(b"COUNT", [1] * len(names))]
    fields = [names.index(axis) for axis in (b"x", b"y", b"z")]
    if kind == b"ascii":
        rows = np.array(data.split(), np.float64).reshape(number, sum(counts))
        return np.asarray(rows[:, [sum(counts[:field]) for field in fields]])
    if kind != b"binary":
        raise ValueError(f"its data are {kind.decode()}")
    types = [
        (str(i), f"<{letter.decode().lower()}{int(width)}", (count,))
        for i, (letter, width, count) in enumerate(
            zip(told[b"TYPE"], told[b"SIZE"], counts, strict=True)
        )
    ]
    table = np.frombuffer(data, np.dtype(types), number)
    return np.stack([table[str(field)][:, 0] for field in fields], axis=1).astype(np.float64)


def scaled_rgb(path: str, content: bytes, size: int) -> np.ndarray:
    """A crop in colour, stretched to a square: uint8 [1, size, size, 3]."""
    return _scaled(readers.rgb(path, content, size), size)


def scaled_mask(path: str, content: bytes, size: int) -> np.ndarray:
    """A mask, stretched to a square: uint8 [1, size, size]."""
    return _scaled(readers.image(path, content, size), size)


def _scaled(frames: np.ndarray, size: int) -> np.ndarray:
    scaled = cv2.resize(frames[0], (size, size), interpolation=cv2.INTER_CUBIC)
    return np.asarray(scaled[None])


def _raw(modality: str, number: str) -> Raw:
    """A pickle that stays as it is, found by its number."""
    return Raw(modality, rf"{SEQUENCE}(?P<name>{number}-[^/]*)\.pkl$", readers.pickle, "{name}.pkl")


DATASET = Dataset(
    title="SUSTech1K",
    files={
        "points": "00-*.pkl",
        "depth": "01-*.pkl",
        "pose": "03-*.pkl",
        "rgb": "05-*.pkl",
        "silhouette": "06-*.pkl|*sil.pkl|*Sils_96x48.pkl",
        "mask": "07-*.pkl",
        "ratio": "ratio.pkl",
        "heatmap": "*heatmap.pkl",
        "parsing": "*parsing.pkl",
        "flow": "*flow.pkl",
        "latents": "*DenoisingFea*.pkl",
    },
    protocols={
        "single-view": Protocol(
            gallery=("*00-nm*",),
            probes={
                "Normal": ("*01-nm*",),
                "Bag": ("*bg*",),
                "Clothing": ("*cl*",),
                "Carrying": ("*cr*",),
                "Umbrella": ("*ub*",),
                "Uniform": ("*uf*",),
                "Occlusion": ("*oc*",),
                "Night": ("*nt*",),
                "Overall": ("0[1-4]-*",),
            },
            gallery_views="single",
            exclude="view",
            ranks=(1, 2, 3, 4, 5),
        )
    },
    partition="OpenGait's datasets/SUSTech1K/SUSTech1K.json",
    expected={"train": 250, "test": 800, "sequences": 25_239},
    raw=(
        Raw("points", SEQUENCE + r"(?P<name>00-[^/]*)\.pkl$", readers.points, "{name}.pkl"),
        _raw("depth", "01"),
        _raw("pose", "03"),
        Raw("ratio", SEQUENCE + r"04-[^/]*\.pkl$", ratio, "ratio.pkl"),
        _raw("rgb", "05"),
        _raw("silhouette", "06"),
        _raw("mask", "07"),
        Raw("depth", SEQUENCE + r"PCDs/[^/]*\.pcd$", depth, "01-{view}-LiDAR-PCDs_depths.pkl"),
        Raw("ratio", CROP, readers.ratio, "ratio.pkl"),
        Raw("rgb", CROP, scaled_rgb, "05-{view}-Camera-RGB_raw.pkl"),
        Raw(
            "silhouette",
            SEQUENCE + r"Sils_aligned/[^/]*\.png$",
            scaled_mask,
            "06-{view}-Camera-Sils_aligned.pkl",
        ),
        Raw(
            "mask",
            SEQUENCE + r"Sils_raw/[^/]*\.png$",
            scaled_mask,
            "07-{view}-Camera-Sils_raw.pkl",
        ),
    ),
)
