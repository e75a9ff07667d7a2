"""The walkers are a dataset: of CASIA-B's form, the same on every call, and recognisable."""

import fnmatch
import json
import multiprocessing

import numpy as np
import pytest

from gaitjax import pickles
from gaitjax.datasets import synthetic
from gaitjax.datasets.synthetic.modalities import RECORDERS
from gaitjax.datasets.synthetic.sequence import shoot
from gaitjax.errors import UserError

FRAMES = (5, 8)
OPTIONS = {
    "seed": 3,
    "train_identities": 2,
    "test_identities": 1,
    "types": ("nm-01", "bg-02", "cl-01"),
    "views": ("000", "090"),
    "frames": FRAMES,
    "modalities": ("silhouette", "pose"),
}


def files(root):
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


def test_two_generations_are_the_same_bits(tmp_path):
    for root in (tmp_path / "a", tmp_path / "b"):
        synthetic.DATASET.generate(root, OPTIONS)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    assert len(files(tmp_path / "a")) == 3 * 3 * 2 * 2 + 2


def test_the_tree_holds_what_was_recorded(tmp_path):
    synthetic.DATASET.generate(tmp_path, OPTIONS)
    folder = tmp_path / "003" / "bg-02" / "090"
    silhouette = pickles.read(folder / synthetic.DATASET.files["silhouette"])
    pose = pickles.read(folder / synthetic.DATASET.files["pose"])
    shot = shoot(3, "003", "bg-02", "090", FRAMES)
    np.testing.assert_array_equal(silhouette, RECORDERS["silhouette"](shot))
    np.testing.assert_array_equal(pose, shot.points)
    assert json.loads((tmp_path / "partition.json").read_text()) == {
        "TRAIN_SET": ["001", "002"],
        "TEST_SET": ["003"],
    }


def test_only_what_is_missing_is_written(tmp_path):
    synthetic.DATASET.generate(tmp_path, OPTIONS)
    whole = files(tmp_path)
    lost = tmp_path / "001" / "cl-01" / "000" / "pose.pkl"
    kept = tmp_path / "002" / "nm-01" / "000" / "pose.pkl"
    lost.unlink()
    kept.write_bytes(b"kept")
    synthetic.DATASET.generate(tmp_path, OPTIONS)
    assert lost.read_bytes() == whole[str(lost.relative_to(tmp_path))]
    assert kept.read_bytes() == b"kept"


def test_further_modalities_join_those_that_are_there(tmp_path):
    synthetic.DATASET.generate(tmp_path, OPTIONS)
    before = files(tmp_path)
    synthetic.DATASET.generate(tmp_path, OPTIONS | {"modalities": ("parsing", "silhouette")})
    after = files(tmp_path)
    assert {name for name in after.keys() - before.keys() if "parsing" not in name} == set()
    assert len(after) == len(before) + 3 * 3 * 2
    assert before.items() <= after.items()
    assert synthetic.cache_name(OPTIONS) == synthetic.cache_name(
        OPTIONS | {"modalities": ("parsing",)}
    )


def test_a_folder_of_other_options_is_refused(tmp_path):
    synthetic.DATASET.generate(tmp_path, OPTIONS)
    before = files(tmp_path)
    with pytest.raises(UserError, match="other options"):
        synthetic.DATASET.generate(tmp_path, OPTIONS | {"seed": 4})
    assert files(tmp_path) == before


def test_real_data_are_left_alone(tmp_path):
    real = tmp_path / "001" / "nm-01" / "000" / "000.pkl"
    real.parent.mkdir(parents=True)
    real.write_bytes(b"real")
    with pytest.raises(UserError, match="other data"):
        synthetic.DATASET.generate(tmp_path, OPTIONS)
    assert list(files(tmp_path)) == ["001/nm-01/000/000.pkl"]


def test_processes_share_a_root(tmp_path):
    spawn = multiprocessing.get_context("spawn")
    others = [
        spawn.Process(target=synthetic.DATASET.generate, args=(tmp_path / "both", OPTIONS))
        for _ in range(2)
    ]
    for other in others:
        other.start()
    for other in others:
        other.join()
    assert [other.exitcode for other in others] == [0, 0]
    synthetic.DATASET.generate(tmp_path / "alone", OPTIONS)
    assert files(tmp_path / "both") == files(tmp_path / "alone")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("types", ("nm-1",)),
        ("views", ()),
        ("views", ("left",)),
        ("frames", (9, 3)),
        ("train_identities", -1),
        ("seed", "zero"),
        ("colour", "red"),
        ("modalities", ("infrared",)),
    ],
)
def test_wrong_options_are_named(tmp_path, name, value):
    with pytest.raises(UserError, match=name):
        synthetic.DATASET.generate(tmp_path / "new", OPTIONS | {name: value})
    assert not (tmp_path / "new").exists()


def test_every_option_changes_the_name_of_the_cache():
    other = {
        "seed": 4,
        "train_identities": 3,
        "test_identities": 2,
        "types": ("nm-01",),
        "views": ("000",),
        "frames": (5, 9),
    }
    names = {synthetic.cache_name(OPTIONS | {name: value}) for name, value in other.items()}
    assert len(names | {synthetic.cache_name(OPTIONS)}) == len(other) + 1
    as_lists = OPTIONS | {"types": list(OPTIONS["types"]), "views": list(OPTIONS["views"])}
    assert synthetic.cache_name(as_lists) == synthetic.cache_name(OPTIONS)


def test_protocol_is_casia_b():
    protocol = synthetic.DATASET.protocols["single-view"]
    types = [f"nm-0{n}" for n in range(1, 7)] + ["bg-01", "bg-02", "cl-01", "cl-02"]

    def chosen(patterns):
        return [name for name in types if any(fnmatch.fnmatch(name, p) for p in patterns)]

    assert chosen(protocol.gallery) == types[:4]
    assert {name: chosen(patterns) for name, patterns in protocol.probes.items()} == {
        "NM": types[4:6],
        "BG": types[6:8],
        "CL": types[8:],
    }
    assert (protocol.gallery_views, protocol.exclude) == ("single", "view")
