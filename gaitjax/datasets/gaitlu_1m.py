"""GaitLU-1M: a million walks from public videos, of nobody knows whom.

Fan et al., "Learning gait representation from massive unlabelled walking videos: a benchmark",
TPAMI 2023. All train; the three levels of folders are numbers without a meaning, and every sequence
stands for a person of its own. Distributed as one archive in six parts with a password, which holds
the prepared tree: unpacked, its folder `silhouette_cut_pkl` is the root.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """The folders 000 to 099 train, nothing tests."""
    del identities
    return [f"{i:03}" for i in range(100)], []


DATASET = Dataset(
    title="GaitLU-1M",
    files={"silhouette": "*.pkl"},
    split=split,
    expected={"train": 100, "test": 0},
)
