"""TTG-200: 200 people, recorded anew to test what was trained on CASIA-B*.

Liang et al., "GaitEdge: beyond plain end-to-end gait recognition for better practicality", ECCV
2022. The authors did not release it: what is stated here is the protocol of OpenGait, which
searches the types 2 to 6 among type 1, for whoever holds pickles in the layout of CASIA-B*.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset, Protocol


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """Everybody tests."""
    return [], list(identities)


DATASET = Dataset(
    title="TTG-200",
    files={
        "silhouette": "*-aligned-sils.pkl|{view}.pkl",
        "ratio": "*-ratios.pkl",
        "rgb": "*-rgbs.pkl",
        "mask": "{view}-sils.pkl",
    },
    protocols={
        "real-scene": Protocol(
            gallery=("1",),
            probes={"TTG-200": ("[2-6]",)},
            gallery_views="all",
            exclude="none",
            unmatched="miss",
            ranks=(1, 5, 10, 20),
        )
    },
    split=split,
    expected={"test": 200},
)
