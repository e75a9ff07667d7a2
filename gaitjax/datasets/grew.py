"""GREW: 26,345 people in the open, seen by 882 cameras.

Zhu et al., "Gait recognition in the wild: a benchmark", ICCV 2021. In OpenGait's layout people of
the training split are called `00001train`; those of the test split have type 01 and 02, and the
unlabelled probes of the competition are sequences of type 03 of an identity `probe`. They are for a
submission; the protocol here searches type 02 among type 01. Distributed as train.zip and
test.zip, with an archive for each person inside, of silhouettes that are cut and of key points.
"""

from collections.abc import Callable, Sequence

import numpy as np

from gaitjax.datasets import Dataset, Name, Protocol, Raw, Submission, readers


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names that end in `train` train, the others test, whatever is on disk."""
    del identities
    train = [f"{i:05}train" for i in range(1, 20_001)]
    return train, [f"{i:05}" for i in range(1, 6_001)] + ["probe"]


def arrange(names: Sequence[Name]) -> list[Name]:
    """Numbers the sequences of a person in the gallery as types 01, 02.

    OpenGait numbers them as they lie on the disk, so that no two copies of the data are scored
    alike; here they are sorted.
    """
    numbered = enumerate(names, 1)
    return [n._replace(type=f"{i:02}") if n.type == "gallery" else n for i, n in numbered]


def _raw(
    modality: str, ending: str, read: Callable[[str, bytes, int], np.ndarray], pickle: str
) -> tuple[Raw, ...]:
    """The files of a modality in the three parts of the dataset; distractors are in none."""
    sequence = r"/(?:[^/]+/)*?(?P<identity>\d{5})/(?P<view>[^/]+)/(?P<frame>\d+)" + ending
    probe = r"probe/(?:[^/]+/)*?(?P<view>[^/]+)/(?P<frame>\d+)" + ending
    return (
        Raw(modality, "train" + sequence, read, pickle, identity="{identity}train", type="00"),
        Raw(modality, "gallery" + sequence, read, pickle, type="gallery"),
        Raw(modality, probe, read, pickle, identity="probe", type="03"),
    )


DATASET = Dataset(
    title="GREW",
    files={
        "silhouette": "{view}.pkl|*sil.pkl|*.pkl",
        "pose": "*pose.pkl|{view}.pkl",
        "heatmap": "*heatmap.pkl",
        "flow": "*flow.pkl",
    },
    protocols={
        "real-scene": Protocol(
            gallery=("01",),
            probes={"GREW": ("02",)},
            gallery_views="all",
            exclude="none",
            unmatched="miss",
            ranks=(1, 5, 10, 20),
        )
    },
    submission=Submission(
        protocol=Protocol(
            gallery=("01", "02"), probes={"GREW": ("03",)}, gallery_views="all", exclude="none"
        ),
        header=("videoId", *(f"rank{k}" for k in range(1, 21))),
        numbers=True,
        reranked=False,
    ),
    split=split,
    expected={"train": 20_000, "test": 6_001, "sequences": 126_887},
    raw=(
        *_raw("silhouette", r"\.png$", readers.image, "{view}.pkl"),
        *_raw("pose", r"_2d_pose\.txt$", readers.pose_text, "{view}-pose.pkl"),
    ),
    arrange=arrange,
)
