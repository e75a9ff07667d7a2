"""What CASIA-B, OU-MVLP, GREW, CASIA-E and HID become of what is distributed."""

import fnmatch
import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from gaitjax import datasets, pickles
from gaitjax.data.sequences import open_splits
from gaitjax.datasets import Name, casia_e, grew
from gaitjax.errors import UserError
from gaitjax.preparation import groups, run
from gaitjax.preparation.sources import File
from tests.datasets.raw import drawing, hid, oumvlp

PATHS = [
    ("casia_b", "GaitDatasetB-silh/001/001/bg-01/000/001-bg-01-000-001.png", "001/bg-01/000/000"),
    ("casia_b", "001/bg-01/000/gei.png", None),
    ("casia_b", "GEI/001/bg-01/000/001-bg-01-000.jpg", None),
    ("oumvlp", "Silhouette_090-01/Silhouette_090-01/00002/0001.png", "00002/01/090/090"),
    ("oumvlp", "Silhouette_090-01/090-01/00002/0001.png", "00002/01/090/090"),
    ("oumvlp", "pose/00001/270_00/0001_keypoints.json", "00001/00/270/270-pose"),
    ("oumvlp_pose", "00002/270_00/0001.json", "00002/00/270/270"),
    ("oumvlp_pose", "Silhouette_270-00/00002/0001.png", None),
    ("grew", "train/train/00001/00001/4XPn5Z28/0001.png", "00001train/00/4XPn5Z28/4XPn5Z28"),
    ("grew", "train/00001/4XPn5Z28/0001_2d_pose.txt", "00001train/00/4XPn5Z28/4XPn5Z28-pose"),
    ("grew", "test/gallery/00001/00001/79XJefi8/0001.png", "00001/gallery/79XJefi8/79XJefi8"),
    ("grew", "test/test/probe/eT1EXpgZ/eT1EXpgZ/0001.png", "probe/03/eT1EXpgZ/eT1EXpgZ"),
    ("grew", "distractor/00001/4XPn5Z28/0001.png", None),
    ("grew", "train/00001/4XPn5Z28/0001_3d_pose.txt", None),
    ("casia_e", "train/001/forTrain/001/H/scene1/nm/090/2/0001.jpg", "001/H-scene1-nm-2/090/090"),
    ("casia_e", "1014/L/scene3_s/bg/270/1/0001.jpg", "1014/L-scene3_s-bg-1/270/270"),
    ("hid", "train/train/0000/012/0001.png", "0000/012/012/012"),
    ("hid", "HID2022_test_gallery/0500/012/0001.jpg", "0500/012/012/012"),
    ("hid", "HID2022_test_probe/000731/0001.png", "probe/HID2022_test_probe/000731/000731"),
    ("hid", "gallery/gallery/00012/0/01/01.pkl", "00012/01/01/01"),
    ("hid", "probe_phase2/0/000731/000731.pkl", "probe/probe_phase2/000731/000731"),
    ("hid", "probe/000731/default/000731.pkl", "probe/probe/000731/000731"),
]


@pytest.mark.parametrize(("name", "path", "pickle"), PATHS)
def test_a_path_tells_which_pickle_a_file_is_of(name, path, pickle):
    file, unmatched = File(path, lambda: b"content"), []
    jobs = groups.jobs([file], datasets.get(name).raw, lambda pickle: None, unmatched.append)
    found = [(job.pickle, job.modality, job.pieces[0].frame) for job in jobs]
    assert [made for made, _, _ in found] == ([] if pickle is None else [f"{pickle}.pkl"])
    assert unmatched == ([path] if pickle is None else [])
    for made, modality, frame in found:
        view, file = made.split("/")[2:]
        patterns = datasets.get(name).files[modality].format(view=view).split("|")
        assert any(fnmatch.fnmatchcase(file, pattern) for pattern in patterns)
        assert frame in ("0001", "001", path)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in PATHS}))
def test_what_is_broken_is_refused_by_name(name):
    for raw in datasets.get(name).raw:
        for content in (b"nothing of the kind\n", b"\x89PNG\r\n\x1a\nno more", b"{}", b"PK\3\4"):
            with pytest.raises(UserError, match=r"^a/b\.xyz(:| is| was)"):
                raw.read("a/b.xyz", content, 64)


def test_the_gallery_of_grew_is_numbered_in_the_order_of_names():
    names = [Name("00001", "gallery", walk) for walk in ("79XJefi8", "t16VLaQf")]
    assert [name.type for name in grew.arrange(names)] == ["01", "02"]
    others = [Name("00001train", "00", "4XPn5Z28"), Name("probe", "03", "eT1EXpgZ")]
    assert [grew.arrange([name]) for name in others] == [[name] for name in others]


def test_a_mask_of_casia_e_is_scaled_if_its_height_is_another():
    mask = drawing.masks(0, (128, 128))[0]
    content = drawing.png(mask)
    np.testing.assert_array_equal(casia_e.silhouette("a", content, 128)[0], mask)
    scaled = casia_e.silhouette("a", content, 64)[0]
    np.testing.assert_array_equal(scaled, cv2.resize(mask, (64, 64)))


def test_walks_of_casia_e_have_more_than_five_frames():
    frames = list(drawing.masks(0, (64, 64))[:, None])
    assert casia_e.long_enough(frames).shape == (6, 64, 64)
    with pytest.raises(UserError, match="5 frames, fewer than 6"):
        casia_e.long_enough(frames[:5])


@pytest.mark.parametrize("unpacked", [True, False])
def test_a_pose_is_chosen_by_the_silhouette_beside_it_where_that_is_unpacked(unpacked, tmp_path):
    oumvlp.make_oumvlp_pose(tmp_path / "raw/pose")
    start, first = tmp_path / "raw", drawing.poses(0, joints=18)[0]
    bystander = first + (300, 0, 1)  # outside the silhouette, and surely somebody
    people = [{"pose_keypoints_2d": pose.ravel().tolist()} for pose in (bystander, first)]
    drawing.write_json(start / "pose/00001/000_00/0001_keypoints.json", {"people": people})
    if unpacked:
        drawing.write_image(start / "Silhouette_000-00/00001/0001.png", drawing.masks(0)[0])
    with ThreadPoolExecutor(2) as executor:
        run.prepare(run.Options("oumvlp_pose", start, tmp_path / "root"), executor, 2)
    found = pickles.read(tmp_path / "root/00001/00/000/000.pkl")
    expected = [first if unpacked else bystander, *drawing.poses(0, joints=18)[2:]]
    if not unpacked:
        expected[1] = expected[1] + (300, 0, -0.4)  # nearest to whom was taken for the walker
    np.testing.assert_array_equal(found, np.float32(expected))
    report = json.loads((tmp_path / "root/prepare.json").read_text())
    assert {entry["reason"] for entry in report["left out"]} == {"empty frame"}


@pytest.mark.parametrize("make", [hid.make_hid, hid.make_hid_since_2023])
def test_probes_of_hid_are_called_by_their_video_whatever_year_they_are_of(make, tmp_path):
    make(tmp_path / "raw")
    with ThreadPoolExecutor(2) as executor:
        run.prepare(run.Options("hid", tmp_path / "raw", tmp_path / "root"), executor, 2)
    splits = open_splits(datasets.get("hid"), tmp_path / "root", None)
    assert (len(splits.train) > 0) == (make is hid.make_hid)
    probes = splits.test.select(splits.test.identities == "probe")
    assert sorted(probes.views) == sorted(hid.PROBES)
    assert len(set(splits.test.identities)) == 3
