"""Gait3D: 4,000 people in a supermarket, seen by 39 cameras.

Zheng et al., "Gait recognition in the wild with dense 3D representations and a benchmark", CVPR
2022. Its probes are a list of sequences, not a rule. Distributed as the folders 2D_Silhouettes,
2D_Poses and 3D_SMPLs, whose frames belong together by their numbers.
"""

import io
import zipfile
import zlib

import numpy as np

from gaitjax import pickles
from gaitjax.datasets import LISTED, Dataset, Protocol, Raw, readers
from gaitjax.errors import UserError

FRAME = r"(?P<identity>\d{4})/(?P<type>camid[^/]+)/(?P<view>seq\d+)/[^/\d]*(?P<frame>\d+)[^/]*"
LARGEST = 2**24  # bytes of one person's body model, which has some 10**5


def smpl(path: str, content: bytes, size: int) -> np.ndarray:
    """The body model that ROMP (Sun et al., ICCV 2021) fitted to a frame.

    The NPZ holds a list of people, pickled, of which the first counts. It is not unpickled.

    Args:
        path: of the file, for errors.
        content: of the file.
        size: without a meaning here.

    Returns:
        float32 [1, 85]: camera 3, pose 72, shape 10.

    Raises:
        UserError: if the file is none of these.
    """
    del size
    fields = pickles.parse_fields(path, _results(path, content), ("cam", "poses", "betas"))
    parameters = np.concatenate([field.ravel() for field in fields]).astype(np.float32)
    if len(parameters) != 85:
        raise UserError(f"{path}: {len(parameters)} numbers; a body model has 3 + 72 + 10")
    return parameters[None]


def _results(path: str, content: bytes) -> bytes:
    """The pickle behind the header of the array `results` of an NPZ."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            member = archive.getinfo("results.npy")
            if member.file_size > LARGEST:
                raise ValueError(f"results.npy has {member.file_size} bytes")
            stream = io.BytesIO(archive.read(member))
        major, _ = np.lib.format.read_magic(stream)
        length = int.from_bytes(stream.read(2 if major == 1 else 4), "little")
        return stream.getvalue()[stream.tell() + length :]
    except (
        LookupError,
        ValueError,
        RuntimeError,
        EOFError,
        zlib.error,
        zipfile.BadZipFile,
    ) as error:
        raise UserError(
            f"{path}: no whole NPZ with an array `results` (cut off?): {error}"
        ) from error


RAW_SMPL = Raw("smpl", FRAME + r"\.npz$", smpl, "smpls-{view}.pkl")
DATASET = Dataset(
    title="Gait3D",
    files={
        "silhouette": "sils-*.pkl|*sil.pkl|*.pkl",
        "smpl": "smpls-*.pkl",
        "pose": "poses-*.pkl",
        "heatmap": "*heatmap.pkl",
        "parsing": "*parsing.pkl",
    },
    protocols={
        "listed": Protocol(
            gallery=("*", "!{PROBE_SET}"),
            probes={"Gait3D": ("{PROBE_SET}",)},
            gallery_views="all",
            exclude="none",
            match=LISTED,
        )
    },
    partition="OpenGait's datasets/Gait3D/Gait3D.json",
    expected={"train": 3_000, "test": 1_000, "sequences": 25_309},
    raw=(
        Raw(
            "silhouette",
            r"^(?!.*Parsing).*?" + FRAME + r"\.png$",
            readers.silhouette,
            "sils-{view}.pkl",
        ),
        Raw("pose", FRAME + r"\.txt$", readers.pose_text, "poses-{view}.pkl"),
        RAW_SMPL,
    ),
)
