"""OU-MVLP: 10,307 people, 14 views, two sequences each.

Takemura et al., "Multi-view large population gait dataset and its performance evaluation for
cross-view gait recognition", IPSJ Transactions on Computer Vision and Applications 10, 2018.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset, Protocol


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """Odd numbers up to 10305 train; even ones, and 10307, test."""
    del identities
    everyone = [f"{i:05}" for i in range(1, 10_308)]
    return everyone[:-1:2], everyone[1::2] + everyone[-1:]


DATASET = Dataset(
    title="OU-MVLP",
    files={"silhouette": "{view}.pkl|*sil.pkl|*.pkl", "heatmap": "*heatmap.pkl"},
    protocol=Protocol(
        gallery=("01",), probes={"NM": ("00",)}, gallery_views="single", exclude="view"
    ),
    split=split,
    expected={"train": 5153, "test": 5154},
)
