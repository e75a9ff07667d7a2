"""CASIA-E: 1,014 people, 26 views, three scenes, normal walking, with a bag, in a coat.

Song et al., "CASIA-E: a large comprehensive dataset for gait recognition", TPAMI 2022. The split is
OpenGait's, not the authors': 200 people to train. A type is height-scene-condition-number, such as
`H-scene1-nm-1`.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """001 to 200 train, 201 to 1014 test, whatever is on disk."""
    del identities
    return [f"{i:03}" for i in range(1, 201)], [f"{i:03}" for i in range(201, 1_015)]


DATASET = Dataset(
    title="CASIA-E",
    files={"silhouette": "{view}.pkl|*.pkl"},
    split=split,
    expected={"train": 200, "test": 814},
)
