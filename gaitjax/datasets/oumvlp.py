"""OU-MVLP: 10,307 people, 14 views, two sequences each.

Takemura et al., "Multi-view large population gait dataset and its performance evaluation for
cross-view gait recognition", IPSJ Transactions on Computer Vision and Applications 10, 2018.
Distributed as an archive Silhouette_VVV-SS.7z for each view and sequence, with a password. Where
the input holds the poses of `oumvlp_pose` too, a sequence has both.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset, Protocol, Raw, openpose, readers


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """Odd numbers up to 10305 train; even ones, and 10307, test."""
    del identities
    everyone = [f"{i:05}" for i in range(1, 10_308)]
    return everyone[:-1:2], everyone[1::2] + everyone[-1:]


RAW_POSE = Raw(
    "pose",
    # the files of 00001 are called by another rule; the frame is the last number of all
    r"(?P<identity>\d{5})/(?P<view>\d{3})_(?P<type>\d\d)/[^/]*?(?P<frame>\d+)[^/\d]*\.json$",
    openpose.read,
    "{view}-pose.pkl",
    beside="Silhouette_{view}-{type}/{identity}/{frame}.png",
    join=openpose.follow,
)
DATASET = Dataset(
    title="OU-MVLP",
    files={
        "silhouette": "{view}.pkl|*sil.pkl|*.pkl",
        "pose": "*pose.pkl",
        "heatmap": "*heatmap.pkl",
    },
    protocols={
        "single-view": Protocol(
            gallery=("01",),
            probes={"NM": ("00",)},
            gallery_views="single",
            exclude="view",
            ranks=(1,),
        ),
        "cross-view": Protocol(
            gallery=("01",),
            probes={"NM": ("00",)},
            gallery_views="all",
            exclude="view",
            average="views",
            unmatched="miss",
            ranks=(1,),
        ),
    },
    split=split,
    expected={"train": 5153, "test": 5154},
    raw=(
        Raw(
            "silhouette",
            r"(?P<view>\d{3})-(?P<type>\d\d)/(?P<identity>\d{5})/(?P<frame>\d+)\.png$",
            readers.silhouette,
        ),
        RAW_POSE,
    ),
)
