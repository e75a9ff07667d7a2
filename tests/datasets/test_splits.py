import fnmatch
import hashlib

import pytest

from gaitjax import datasets
from gaitjax.errors import UserError

NAMES = (
    *("casia_b", "casia_b_star", "oumvlp", "grew", "gait3d", "gait3d_parsing", "casia_e", "ccpg"),
    *("hid", "sustech1k", "scoliosis1k", "gaitlu_1m", "ccgr", "ccgr_mini", "freegait", "folder"),
)
# identities on disk, and digests of the sorted lists of OpenGait's partition files
PUBLISHED = {
    "casia_b": ([], "e7292bbf44db", "01c01eae564b"),
    "casia_b_star": ([], "e7292bbf44db", "01c01eae564b"),
    "gaitlu_1m": ([], "f662e35c42ee", "e3b0c44298fc"),
    "oumvlp": ([], "82d9cea9ca96", "743199a163d2"),
    "grew": ([], "ebca4c9c925d", "8bbac3ecc2a3"),
    "casia_e": ([], "dc644f6b1bc3", "7fab697859cb"),
    "ccpg": ([], "f662e35c42ee", "ea7c146fbd11"),
    "ccpg_rgb": ([], "f662e35c42ee", "ea7c146fbd11"),
    "hid": (["0000", "probe"], "65c618910c00", "05d712cfc388"),
    "hid since 2023": (["00000", "probe"], "e3b0c44298fc", "aa96a52335eb"),
}


def digest(names):
    return hashlib.sha256(" ".join(sorted(names)).encode()).hexdigest()[:12]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_rule_gives_the_published_lists(name):
    on_disk, train, test = PUBLISHED[name]
    dataset = datasets.get(name.split()[0])
    found = dataset.split(on_disk)
    assert (digest(found[0]), digest(found[1])) == (train, test)
    for split, identities in zip(("train", "test"), found, strict=True):
        assert dataset.expected.get(split, len(identities)) == len(identities)


@pytest.mark.parametrize("name", NAMES)
def test_every_dataset_has_silhouettes_and_a_split_or_says_whence(name):
    dataset = datasets.get(name)
    assert all(pattern.endswith(".pkl") for pattern in dataset.files["silhouette"].split("|"))
    assert (dataset.split is None) == bool(dataset.partition)


def test_the_protocol_of_casia_b_sorts_its_ten_types():
    protocol = datasets.get("casia_b").protocols["single-view"]
    types = [
        f"{kind}-0{i}" for kind, n in (("nm", 6), ("bg", 2), ("cl", 2)) for i in range(1, n + 1)
    ]
    sides = {"gallery": protocol.gallery, **protocol.probes}
    found = {
        side: [t for t in types if any(fnmatch.fnmatchcase(t, p) for p in patterns)]
        for side, patterns in sides.items()
    }
    assert found == {
        "gallery": ["nm-01", "nm-02", "nm-03", "nm-04"],
        "NM": ["nm-05", "nm-06"],
        "BG": ["bg-01", "bg-02"],
        "CL": ["cl-01", "cl-02"],
    }
    assert (protocol.gallery_views, protocol.exclude) == ("single", "view")


def test_every_pickle_of_sustech1k_is_of_one_modality():
    kinds = ("PCDs", "PCDs_depths", "PCDs_sils")
    lidar = [f"{i:02}-090-LiDAR-{kind}.pkl" for i, kind in enumerate(kinds)]
    kinds = ("Pose", "Ratios-HW", "RGB_raw", "Sils_aligned", "Sils_raw")
    camera = [f"{i:02}-090-Camera-{kind}.pkl" for i, kind in enumerate(kinds, 3)]
    again = [f"{int(name[:2]) + 8:02}-sync{name[2:]}" for name in lidar + camera]
    found = {
        modality: fnmatch.filter(lidar + camera + again, pattern.split("|")[0])
        for modality, pattern in datasets.get("sustech1k").files.items()
    }
    assert found == {
        "points": lidar[:1],
        "depth": lidar[1:2],
        "pose": camera[:1],
        "rgb": camera[2:3],
        "silhouette": camera[3:4],
        "mask": camera[4:],
        "ratio": [],
        "heatmap": [],
        "parsing": [],
        "flow": [],
        "latents": [],
    }


def test_an_unknown_dataset_is_answered_with_the_known():
    with pytest.raises(UserError, match=r"has no 'casia-b'; it has casia_b, casia_b_star"):
        datasets.get("casia-b")
