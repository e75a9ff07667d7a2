"""HID: the data of the competition on human identification at a distance.

The competition of 2022 had a training set of 500 people, called by four digits; those since then
have a test set of 859, called by five. The probes are the sequences of an identity `probe`, whose
labels the organisers keep, so there is nothing to score.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """0000 to 0499 train and the other four-digit names test; five-digit names only test."""
    if any(len(identity) == 4 and identity.isdecimal() for identity in identities):
        everyone = [f"{i:04}" for i in range(1_005)]
        return everyone[:500], [*everyone[500:], "probe"]
    return [], [*(f"{i:05}" for i in range(859)), "probe"]


DATASET = Dataset(
    title="HID",
    files={"silhouette": "*.pkl"},
    split=split,
)
