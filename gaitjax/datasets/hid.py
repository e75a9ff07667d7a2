"""HID: the data of the competition on human identification at a distance.

The competition of 2022 had a training set of 500 people, called by four digits; those since then
have a test set of 859, called by five. The probes are the sequences of an identity `probe`, whose
labels the organisers keep, so there is nothing to score. A submission names a probe by its view:
that is the number of the video here, whereas OpenGait's preparation calls all of them `default`.

Distributed as images (train.tar, HID2022_test_gallery.zip and HID2022_test_probe.zip) or as pickles
(gallery.tar.gz and probe_phase1.tar.gz or probe_phase2.tar.gz). The type of a probe is its archive,
which tells the phases of a competition apart.
"""

from collections.abc import Sequence

from gaitjax.datasets import Dataset, Protocol, Raw, Submission, readers

PROBE = r"(?P<type>[^/]*probe[^/]*)/"
IMAGES = r"(?P<view>[^/]+)/(?P<frame>[^/]+)\.(?:png|jpg)$"


def split(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """0000 to 0499 train and the other four-digit names test; five-digit names only test."""
    if any(len(identity) == 4 and identity.isdecimal() for identity in identities):
        everyone = [f"{i:04}" for i in range(1_005)]
        return everyone[:500], [*everyone[500:], "probe"]
    return [], [*(f"{i:05}" for i in range(859)), "probe"]


DATASET = Dataset(
    title="HID",
    files={"silhouette": "*.pkl"},
    submission=Submission(
        protocol=Protocol(
            gallery=("*", "!probe"),
            probes={"HID": ("probe",)},
            gallery_views="all",
            exclude="none",
            match="{identity}",
        ),
        header=("videoID", "label"),
        numbers=False,
        reranked=True,
    ),
    split=split,
    raw=(
        Raw("silhouette", PROBE + IMAGES, readers.image, identity="probe"),
        Raw(
            "silhouette",
            PROBE + r"(?:[^/]+/)+(?P<view>[^/]+)\.pkl$",
            readers.pickle,
            identity="probe",
        ),
        Raw(
            "silhouette",
            r"(?:^|/)(?P<identity>\d{4,5})/" + IMAGES,
            readers.image,
            type="{view}",
        ),
        Raw(
            "silhouette",
            r"(?:^|/)(?P<identity>\d{5})/(?:[^/]+/)+(?P<view>[^/]+)\.pkl$",
            readers.pickle,
            type="{view}",
        ),
    ),
)
