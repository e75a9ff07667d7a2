"""HID2021: the data of the first competition on human identification at a distance.

Yu et al., "HID 2021: competition on human identification at a distance 2021", IJCB 2021. The
organisers keep the labels of its test set: what is stated here are the protocols of OpenGait, for
whoever holds data with labels. `real-scene` searches type 1 among type 0, and `0001-1000`, the
people called by these numbers, the types 3 to 6 among 1 and 2.
"""

import dataclasses
from collections.abc import Sequence

from gaitjax.datasets import Dataset, Protocol


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """Everybody tests; a partition JSON says who trains."""
    return [], list(identities)


REAL_SCENE = Protocol(
    gallery=("0",),
    probes={"HID2021": ("1",)},
    gallery_views="all",
    exclude="none",
    unmatched="miss",
    ranks=(1, 5, 10, 20),
)
DATASET = Dataset(
    title="HID2021",
    files={"silhouette": "{view}.pkl|*.pkl"},
    protocols={
        "real-scene": REAL_SCENE,
        "0001-1000": dataclasses.replace(
            REAL_SCENE, gallery=("[12]",), probes={"0001-1000": ("[3-6]",)}
        ),
    },
    split=split,
)
