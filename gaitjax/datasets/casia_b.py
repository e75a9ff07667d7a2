"""CASIA-B: 124 people, 11 views, normal walking, with a bag, in a coat.

Yu, Tan & Tan, "A framework for evaluating the effect of view angle, clothing and carrying condition
on gait recognition", ICPR 2006. Split and protocol of GaitSet (Chao et al., AAAI 2019), which the
field follows: 74 people to train, single-view galleries, identical views left out. Distributed as
GaitDatasetB-silh.zip, with an archive for each person inside.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset, Protocol, Raw, readers


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """001 to 074 train, 075 to 124 test, whatever is on disk."""
    del identities
    return [f"{i:03}" for i in range(1, 75)], [f"{i:03}" for i in range(75, 125)]


DATASET = Dataset(
    title="CASIA-B",
    files={
        "silhouette": "*aligned-sils.pkl|*Sils_96x48.pkl|{view}.pkl|*.pkl",
        "pose": "*pose.pkl",
        "latents": "*DenoisingFea*.pkl",
    },
    protocols={
        "single-view": Protocol(
            gallery=("nm-0[1-4]",),
            probes={"NM": ("nm-0[56]",), "BG": ("bg-0[12]",), "CL": ("cl-0[12]",)},
            gallery_views="single",
            exclude="view",
            ranks=(1,),
        ),
        "cross-view": Protocol(
            gallery=("nm-02", "bg-02", "cl-02"),
            probes={"NM": ("nm-01",), "BG": ("bg-01",), "CL": ("cl-01",)},
            gallery_views="all",
            exclude="view",
            average="views",
            unmatched="miss",
            ranks=(1,),
        ),
    },
    split=split,
    expected={"train": 74, "test": 50, "sequences": 13_640},
    raw=(
        Raw(
            "silhouette",
            # energy images, `gei.png`, have no number
            r"(?P<identity>\d{3})/(?P<type>(?:nm|bg|cl)-\d\d)/(?P<view>\d{3})/"
            r"[^/]*?(?P<frame>\d+)\.png$",
            readers.silhouette,
        ),
    ),
)
