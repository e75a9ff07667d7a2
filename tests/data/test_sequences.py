import dataclasses
import json
import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest

from gaitjax import datasets, pickles
from gaitjax.data import sequences, tree
from gaitjax.datasets import Dataset
from gaitjax.errors import UserError

CASIA_B = datasets.get("casia_b")
OWN = datasets.get("folder")
KTH = Path(__file__).parents[3] / "shared/real/kth_walking"


def silhouettes(length=3):
    return np.zeros((length, 64, 44), np.uint8)


def add(root, folder, name="000.pkl", array=None):
    """Writes root/folder/name, and its folders."""
    path = root / folder
    path.mkdir(parents=True, exist_ok=True)
    pickles.write(path / name, silhouettes() if array is None else array)
    return path


@pytest.fixture
def root(tmp_path):
    """A tree with two people of CASIA-B's training split and one of its test split."""
    root = tmp_path / "données 数据"
    for folder in ("001/nm-01/000", "001/nm-01/018", "001/bg-02/000", "074/cl-01/090"):
        add(root, folder)
    add(root, "075/nm-01/000")
    return root


@pytest.fixture
def partition(tmp_path):
    """A JSON with the same split."""
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"TRAIN_SET": ["074", "001"], "TEST_SET": ["075"]}))
    return path


def one(root, files, folder="001/nm-01/000"):
    """The sequence of one folder, as it lies there now."""
    found = tree.scan(root, files)
    row = [found.folder(row) for row in range(len(found.names))].index(str(root / folder))
    return sequences.Sequences(found, np.array([row]))


def test_finds_the_sequences_of_both_splits_in_order(root):
    splits = sequences.open_splits(CASIA_B, root, None)
    train = splits.train
    assert train.identities.tolist() == ["001", "001", "001", "074"]
    assert train.types.tolist() == ["bg-02", "nm-01", "nm-01", "cl-01"]
    assert train.views.tolist() == ["000", "000", "018", "090"]
    assert train.folder(2) == str(root / "001/nm-01/018")
    assert splits.test.identities.tolist() == ["075"]
    labels, names = train.labels()
    assert labels.dtype == np.int32
    assert labels.tolist() == [0, 0, 0, 1]
    assert names == ["001", "074"]
    assert train.read(3, "silhouette").shape == (3, 64, 44)
    picked = train.select(np.array([3, 0]))
    assert picked.types.tolist() == ["cl-01", "bg-02"]
    assert len(picked) == 2


def test_says_what_is_there_and_what_is_missing(root):
    (root / "002/nm-01/000").mkdir(parents=True)
    add(root, "visitor/nm-01/000")
    lines = sequences.open_splits(CASIA_B, root, None).lines
    assert lines == [
        "CASIA-B, train: 2 of 74 identities, 4 sequences",
        "train: 72 identities are missing: 002, 003, 004, 005, ...",
        "train: 1 folders have no pickle, left out: 002/nm-01/000",
        "CASIA-B, test: 1 of 50 identities, 1 sequences",
        "test: 49 identities are missing: 076, 077, 078, 079, ...",
        "in neither split: 1 folders: visitor",
    ]


def test_a_partition_takes_the_place_of_the_rule(root, partition):
    splits = sequences.open_splits(CASIA_B, root, partition)
    assert splits.lines == [
        "CASIA-B, train: 2 of 2 identities (74 as published), 4 sequences",
        "CASIA-B, test: 1 of 1 identities (50 as published), 1 sequences",
    ]
    partition.write_text(json.dumps({"TRAIN_SET": [], "TEST_SET": ["001"]}))  # to test only
    splits = sequences.open_splits(OWN, root, partition)
    assert (len(splits.train), len(splits.test)) == (0, 3)


def test_generated_data_bring_their_partition(root, partition):
    dataset = Dataset("made", {"silhouette": "*.pkl"}, generate=lambda *_: None)
    with pytest.raises(UserError, match=r"made has no built-in split; set config\.data\.partition"):
        sequences.open_splits(dataset, root, None)
    shutil.copy(partition, root / "partition.json")
    assert len(sequences.open_splits(dataset, root, None).train) == 4


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, r"split\.json cannot be read: No such file"),
        ("{", r"split\.json is no JSON"),
        ("\udcff", r"split\.json is no JSON"),
        ("[" * 100_000, r"split\.json is no JSON"),
        ("[]", r"split\.json has no list of names TRAIN_SET"),
        ('{"TRAIN_SET": ["001"]}', r"split\.json has no list of names TEST_SET"),
        ('{"TRAIN_SET": [1], "TEST_SET": []}', r"split\.json has no list of names TRAIN_SET"),
        (
            '{"TRAIN_SET": ["001", "074"], "TEST_SET": ["074"]}',
            r"split\.json has 1 identities in both TRAIN_SET and TEST_SET \(074\)",
        ),
    ],
)
def test_refuses_a_partition_that_is_none(root, partition, content, message):
    partition.unlink()
    if content is not None:
        partition.write_text(content, "utf-8", errors="surrogateescape")
    with pytest.raises(UserError, match=rf"^config\.data\.partition: .*{message}"):
        sequences.open_splits(OWN, root, partition)


def move_below(root, folder):
    """Moves everything in the root into a new folder in it."""
    shutil.move(root, root.parent / "moved")
    root.mkdir()
    shutil.move(root.parent / "moved", root / folder)


def flatten_views(root):
    """Moves the pickles of a view's folder up to the type's."""
    for path in list(root.glob("*/*/*/*.pkl")):
        path.rename(path.parents[1] / f"{path.parent.name}.pkl")
        path.parent.rmdir()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, r"config\.data\.root is .*数据, which does not exist"),
        (lambda root: (shutil.rmtree(root), root.write_text("")), "which is a file"),
        (lambda root: (shutil.rmtree(root), root.mkdir()), "which holds nothing"),
        (lambda root: (shutil.rmtree(root), add(root, "")), "which holds only files"),
        (lambda root: [p.unlink() for p in root.glob("*/*/*/*.pkl")], r"which has no \.pkl file"),
        (lambda root: move_below(root, "B/x"), r"5 folders below it.*set config.*数据/B/x$"),
        (flatten_views, r"bg-02/000\.pkl lies 2 folders below.*add the missing level"),
        (
            lambda root: shutil.rmtree(root / "075"),
            "the test split has no sequence: none of its 50",
        ),
    ],
)
def test_refuses_a_root_without_the_sequences(root, spoil, message):
    spoil(root)
    with pytest.raises(UserError, match=message):
        sequences.open_splits(CASIA_B, root, None)


def test_refuses_a_root_that_is_the_folder_of_one_identity(root):
    with pytest.raises(UserError, match=r"lies 2 folders below.*set config\.data\.root to .*数据$"):
        sequences.open_splits(CASIA_B, root / "001", None)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (silhouettes(0), r"000\.pkl has no frames"),
        (np.zeros((3, 17, 3), np.float32), r"000\.pkl holds float32 \[3, 17, 3\]; a silhouette is"),
        (np.zeros((3, 64, 64, 3), np.uint8), r"000\.pkl holds uint8 \[3, 64, 64, 3\]"),
    ],
)
def test_refuses_an_array_that_is_no_silhouettes(tmp_path, array, message):
    add(tmp_path, "001/nm-01/000", array=array)
    with pytest.raises(UserError, match=message):
        one(tmp_path, {"silhouette": "*.pkl"}).read(0, "silhouette")


def test_modalities_come_together_and_floats_as_float32(tmp_path):
    add(tmp_path, "001/nm-01/000", "sil.pkl", silhouettes(4))
    add(tmp_path, "001/nm-01/000", "pose.pkl", np.ones((4, 17, 3)))
    read = one(tmp_path, {"silhouette": "sil.pkl", "pose": "pose.pkl"})
    arrays = read.frames(0, ("silhouette", "pose"))
    assert {m: (a.dtype.name, a.shape) for m, a in arrays.items()} == {
        "silhouette": ("uint8", (4, 64, 44)),
        "pose": ("float32", (4, 17, 3)),
    }
    add(tmp_path, "001/nm-01/000", "pose.pkl", np.ones((5, 17, 3)))
    with pytest.raises(UserError, match="has 4 frames of silhouette, 5 frames of pose"):
        read.frames(0, ("silhouette", "pose"))


@pytest.mark.parametrize(
    ("modality", "shape", "read_as"),
    [
        ("depth", (5, 3, 64, 44), (5, 64, 44, 3)),
        ("rgb", (5, 64, 44, 3), (5, 64, 44, 3)),
        ("rgb", (5, 3, 64, 3), (5, 3, 64, 3)),  # three rows, not three channels
        ("heatmap", (5, 2, 64, 64), (5, 64, 64, 2)),
        ("parsing", (5, 64, 44), (5, 64, 44)),
        ("smpl", (5, 85), (5, 85)),
        ("ratio", (5,), (5,)),
    ],
)
def test_channels_come_last_wherever_they_lie(tmp_path, modality, shape, read_as):
    kind = float if modality in ("smpl", "ratio") else np.uint8
    array = np.arange(np.prod(shape)).reshape(shape).astype(kind)
    add(tmp_path, "001/nm-01/000", array=array)
    read = one(tmp_path, {modality: "*.pkl"}).read(0, modality)
    np.testing.assert_array_equal(
        read, array if shape == read_as else np.stack([*array.swapaxes(0, 1)], -1)
    )


@pytest.mark.parametrize(
    ("modality", "shape", "wanted"),
    [
        ("rgb", (5, 64, 44), r"uint8 \[frames, height, width, 3\]"),
        ("heatmap", (5, 3, 64, 64), r"uint8 \[frames, height, width, 2\]"),
        ("smpl", (5, 82), r"float \[frames, 85\]"),
        ("ratio", (5, 2), r"float \[frames\]"),
    ],
)
def test_refuses_other_frames_than_a_modality_has(tmp_path, modality, shape, wanted):
    kind = float if modality in ("smpl", "ratio") else np.uint8
    add(tmp_path, "001/nm-01/000", array=np.zeros(shape, kind))
    with pytest.raises(UserError, match=rf"000\.pkl holds .*a {modality} is {wanted}"):
        one(tmp_path, {modality: "*.pkl"}).read(0, modality)


def test_a_type_tells_further_labels_in_any_case_and_says_where_it_tells_none(root, partition):
    dataset = dataclasses.replace(OWN, labels={"worn": {"nm-*": 0, "bg-*": 1, "cl-01": 2}})
    (root / "074/cl-01").rename(root / "074/CL-01")
    train = sequences.open_splits(dataset, root, partition).train
    labels = train.all_labels()
    assert {label: x.tolist() for label, x in labels.items()} == {
        "identity": [0, 0, 0, 1],
        "worn": [1, 0, 0, 2],
    }
    assert {x.dtype for x in labels.values()} == {np.dtype(np.int32)}
    assert train.select(np.array([3, 0])).all_labels()["worn"].tolist() == [2, 1]
    (root / "001/bg-02").rename(root / "001/unknown")
    spoilt = sequences.open_splits(dataset, root, partition).train
    with pytest.raises(UserError, match=r"001/unknown/000 is of type 'unknown'.*has no worn"):
        spoilt.all_labels()


def test_verify_names_the_first_broken_file_and_their_number(root):
    train = sequences.open_splits(CASIA_B, root, None).train
    sequences.verify(train, ["silhouette"], threads=3)
    (root / "001/nm-01/018/000.pkl").write_bytes(b"")
    (root / "074/cl-01/090/000.pkl").write_bytes(pickle.dumps(silhouettes())[:-9])
    with pytest.raises(UserError, match=r"^2 of 4 .*nm-01/018/000\.pkl is empty"):
        sequences.verify(train, ["silhouette"], threads=3)


def test_the_fingerprint_tells_data_apart_wherever_they_lie(root, tmp_path, partition):
    def fingerprint(root, partition=None):
        return sequences.fingerprint(
            sequences.open_splits(CASIA_B, root, partition), ["silhouette"]
        )

    original = fingerprint(root)
    copy = shutil.copytree(root, tmp_path / "elsewhere")
    (copy / "001/nm-01/000/notes.txt").write_text("not data")
    assert fingerprint(copy) == original == fingerprint(root, partition)
    changed = {original}
    partition.write_text(json.dumps({"TRAIN_SET": ["001"], "TEST_SET": ["074", "075"]}))
    changed.add(fingerprint(copy, partition))
    add(copy, "074/cl-01/090", array=silhouettes(4))
    changed.add(fingerprint(copy))
    (copy / "074/cl-01/090").rename(copy / "074/cl-01/108")
    changed.add(fingerprint(copy))
    assert len(changed) == 4


def test_the_fingerprint_needs_every_file(root):
    splits = sequences.open_splits(
        dataclasses.replace(CASIA_B, files={"silhouette": "*.pkl", "pose": "pose.pkl"}), root, None
    )
    with pytest.raises(UserError, match=r"has 0 files named pose\.pkl"):
        sequences.fingerprint(splits, ["silhouette", "pose"])


@pytest.mark.skipif(not KTH.exists(), reason="the real data are not here")
def test_reads_real_silhouettes(tmp_path):
    partition = tmp_path / "kth.json"
    people = [f"{i:02}" for i in range(1, 16)]
    partition.write_text(json.dumps({"TRAIN_SET": people[:10], "TEST_SET": people[10:]}))
    splits = sequences.open_splits(OWN, KTH, partition)
    assert len(splits.train) + len(splits.test) == 208
    assert len(splits.train.labels()[1]) == 10
    sequences.verify(splits.test, ["silhouette"], threads=2)
    assert splits.test.read(0, "silhouette").shape[1:] == (64, 64)
