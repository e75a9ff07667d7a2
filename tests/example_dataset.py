"""Walks past our camera: three people to train on, the others to test on."""

from collections.abc import Sequence

from gaitjax.datasets import Dataset, Protocol


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """The first three names train; identities are the folders of the root, sorted."""
    return list(identities[:3]), list(identities[3:])


DATASET = Dataset(
    title="our walks",
    files={"silhouette": "*.pkl"},
    protocols={
        "usual": Protocol(
            gallery=("nm-0[1-4]",),
            probes={"NM": ("nm-0[56]",), "BG": ("bg-*",)},
            gallery_views="all",
            exclude="none",
        )
    },
    split=split,
)
