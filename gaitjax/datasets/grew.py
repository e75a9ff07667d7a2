"""GREW: 26,345 people in the open, seen by 882 cameras.

Zhu et al., "Gait recognition in the wild: a benchmark", ICCV 2021. In OpenGait's layout people of
the training split are called `00001train`; those of the test split have type 01 and 02, and the
unlabelled probes of the competition are sequences of type 03 of an identity `probe`. They take no
part in the protocol here, which searches type 02 among type 01.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset, Protocol


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names that end in `train` train, the others test, whatever is on disk."""
    del identities
    train = [f"{i:05}train" for i in range(1, 20_001)]
    return train, [f"{i:05}" for i in range(1, 6_001)] + ["probe"]


DATASET = Dataset(
    title="GREW",
    files={
        "silhouette": "{view}.pkl|*sil.pkl|*.pkl",
        "heatmap": "*heatmap.pkl",
        "flow": "*flow.pkl",
    },
    protocol=Protocol(
        gallery=("01",), probes={"GREW": ("02",)}, gallery_views="all", exclude="none"
    ),
    split=split,
    expected={"train": 20_000, "test": 6_001},
)
