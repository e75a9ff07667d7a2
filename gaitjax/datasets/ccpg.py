"""CCPG: 200 people who change their clothes, seen by 10 cameras.

Li et al., "An in-depth exploration of person re-identification and gait recognition in
cloth-changing conditions", CVPR 2023.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """000 to 099 train, 100 to 199 test, whatever is on disk."""
    del identities
    return [f"{i:03}" for i in range(100)], [f"{i:03}" for i in range(100, 200)]


DATASET = Dataset(
    title="CCPG",
    files={
        "silhouette": "*aligned-sils*.pkl|{view}.pkl|*sil.pkl|*.pkl",
        "heatmap": "*heatmap.pkl",
        "parsing": "*parsing.pkl",
        "flow": "*flow.pkl",
    },
    split=split,
    expected={"train": 100, "test": 100},
)
