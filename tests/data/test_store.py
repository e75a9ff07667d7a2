import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys

import numpy as np
import pytest

from gaitjax import pickles
from gaitjax.data import columns, sequences, store
from gaitjax.datasets import Dataset
from gaitjax.errors import UserError

FILES = {"silhouette": "sil.pkl", "pose": "pose.pkl"}
DATASET = Dataset("made", FILES, split=lambda names: (list(names[:2]), list(names[2:])))
SEQUENCES = 12


@pytest.fixture
def root(tmp_path):
    """Sequences of several lengths; every third has no pose."""
    root = tmp_path / "tree"
    rng = np.random.default_rng(0)
    for i in range(SEQUENCES):
        folder = root / f"{i // 4:03}" / f"nm-{i % 4:02}" / "数据"
        folder.mkdir(parents=True)
        pickles.write(folder / "sil.pkl", rng.integers(0, 256, (5 + i, 8, 6), np.uint8))
        if i % 3:
            pickles.write(folder / "pose.pkl", rng.random((5 + i, 17, 3)))
    (root / "004/nm-00/000").mkdir(parents=True)
    return root


@pytest.fixture(autouse=True)
def _small_shards(monkeypatch):
    monkeypatch.setattr(store, "SHARD_BYTES", 3000)


def bytes_of(folder):
    """Name -> digest, of all files."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def shards(folder):
    return sorted(folder.glob("shard-*.bin"))


def test_a_store_holds_what_the_tree_holds(root, tmp_path):
    packed = store.pack(root, tmp_path / "packed", FILES)
    tree = sequences.open_tree(root, FILES)
    assert len(shards(tmp_path / "packed")) > 2
    assert (packed.identities, packed.without) == (tree.identities, ["004/nm-00/000"])
    assert packed.left_out == []
    for row in range(SEQUENCES):
        assert packed.names[row] == tree.names[row]
        for modality in FILES:
            assert packed.has(row, modality) == tree.has(row, modality)
            if tree.has(row, modality):
                ours, theirs = packed.check(row, modality), tree.read(row, modality)
                np.testing.assert_array_equal(ours, theirs, strict=True)
                assert not ours.flags.writeable
    with pytest.raises(UserError, match=r"packed/000/nm-00/数据 has no pose"):
        packed.read(0, "pose")
    with pytest.raises(UserError, match=r"asks for 'depth'; .*packed with pose, silhouette"):
        packed.read(0, "depth")


def test_both_forms_have_the_same_splits_lines_and_fingerprint(root, tmp_path):
    store.pack(root, tmp_path / "packed", FILES)
    one, other = (
        sequences.open_splits(DATASET, folder, None) for folder in (root, tmp_path / "packed")
    )
    assert one.lines == other.lines
    for ours, theirs in ((one.train, other.train), (one.test, other.test)):
        assert ours.identities.tolist() == theirs.identities.tolist()
        assert ours.types.tolist() == theirs.types.tolist()
        sequences.verify(theirs, ["silhouette"], threads=2)
    prints = [sequences.fingerprint(splits, ["silhouette"]) for splits in (one, other)]
    assert prints[0] == prints[1]
    with pytest.raises(UserError, match="has no pose"):
        sequences.fingerprint(other, ["pose"])


def test_packing_twice_changes_nothing_and_follows_changes(root, tmp_path):
    output = tmp_path / "packed"
    store.pack(root, output, FILES)
    first, times = bytes_of(output), [p.stat().st_mtime_ns for p in shards(output)]
    store.pack(root, output, FILES)
    assert bytes_of(output) == first
    assert [p.stat().st_mtime_ns for p in shards(output)] == times
    pickles.write(root / "001/nm-01/数据/sil.pkl", np.full((10, 8, 6), 7, np.uint8))  # as long
    assert (store.pack(root, output, FILES).check(5, "silhouette") == 7).all()
    shutil.rmtree(root / "002")
    store.pack(root, output, FILES)
    store.pack(root, tmp_path / "fresh", FILES)
    assert bytes_of(output) == bytes_of(tmp_path / "fresh")


KILLED = """
import os, sys, pathlib
from gaitjax.data import store
store.SHARD_BYTES = 3000
whole = store._write_shard
def write(output, shard, *rest):
    if shard == 2:
        (output / ".shard-00002.bin.1-1").write_bytes(b"half")
        os.kill(os.getpid(), 9)
    return whole(output, shard, *rest)
store._write_shard = write
files = dict(silhouette="sil.pkl", pose="pose.pkl")
store.pack(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), files)
"""


def test_a_killed_run_goes_on_and_gives_the_same_bytes(root, tmp_path):
    output = tmp_path / "packed"
    command = [sys.executable, "-c", KILLED, str(root), str(output)]
    assert subprocess.run(command, check=False).returncode == -9
    written = [path.stat().st_mtime_ns for path in shards(output)]
    assert len(written) == 2
    with pytest.raises(UserError, match="was not packed to its end: pack it again"):
        sequences.open_splits(DATASET, output, None)
    store.pack(root, output, FILES)
    assert [path.stat().st_mtime_ns for path in shards(output)[:2]] == written
    store.pack(root, tmp_path / "fresh", FILES)
    assert bytes_of(output) == bytes_of(tmp_path / "fresh")


def spoil(root):
    """Breaks two sequences."""
    (root / "000/nm-01/数据/pose.pkl").write_bytes(b"")
    path = root / "001/nm-02/数据/sil.pkl"
    path.write_bytes(pickle.dumps(os.getcwd))


def test_broken_sequences_are_left_out_or_refused(root, tmp_path):
    whole = (root / "000/nm-01/数据/pose.pkl").read_bytes()
    spoil(root)
    with pytest.raises(UserError, match=r"nm-01/数据/pose\.pkl is empty"):
        store.pack(root, tmp_path / "strict", FILES, strict=True)
    assert not (tmp_path / "strict" / store.INDEX).exists()
    packed = store.pack(root, tmp_path / "packed", FILES)
    (one, why), (other, _) = packed.left_out
    assert (one, other) == ("000/nm-01/数据", "001/nm-02/数据")
    assert why.startswith("000/nm-01/数据/pose.pkl is empty")
    assert len(packed.names) == SEQUENCES - 2
    lines = sequences.open_splits(DATASET, tmp_path / "packed", None).lines
    assert "left out when packed: 2 broken sequences: 000/nm-01/数据: 000/" in lines[-1]
    before = bytes_of(tmp_path / "packed")
    store.pack(root, tmp_path / "packed", FILES)
    assert bytes_of(tmp_path / "packed") == before
    (root / "000/nm-01/数据/pose.pkl").write_bytes(whole)
    os.utime(root / "000/nm-01/数据/pose.pkl", ns=(0, 0))  # as from a backup
    assert len(store.pack(root, tmp_path / "packed", FILES).left_out) == 1


def test_a_full_disk_leaves_nothing_torn(root, tmp_path, monkeypatch):
    output = tmp_path / "packed"
    append, written = store._append, []

    def full(*arguments):
        written.append(1)
        if len(written) == 9:
            raise OSError(28, "No space left on device")
        return append(*arguments)

    monkeypatch.setattr(store, "_append", full)
    with pytest.raises(UserError, match=r"shard-0000\d\.bin cannot be written to: No space left"):
        store.pack(root, output, FILES)
    assert all(path.name.startswith("shard-") for path in output.iterdir())
    monkeypatch.undo()
    monkeypatch.setattr(store, "SHARD_BYTES", 3000)
    store.pack(root, output, FILES)
    store.pack(root, tmp_path / "fresh", FILES)
    assert bytes_of(output) == bytes_of(tmp_path / "fresh")


@pytest.mark.parametrize("where", ["tree/packed", "", "taken"])
def test_other_folders_are_not_written_to(root, tmp_path, where):
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken/thesis.tex").write_text("")
    with pytest.raises(UserError, match="choose another --output"):
        store.pack(root, tmp_path / where, FILES)


def changed(folder, change):
    """Rewrites the index with what `change` makes of its header and columns."""
    path = folder / store.INDEX
    header, found = columns.decode("", store.KIND, path.read_bytes())
    found = {name: column.copy() for name, column in found.items()}
    change(header, found)
    rest = {k: v for k, v in header.items() if k not in ("kind", "version", "crc", "columns")}
    path.write_bytes(columns.encode(header["kind"], rest, found))


def place(field, value, row=3):
    """A change of one place."""
    return lambda _, found: found["place/silhouette"].__setitem__((field, row), value)


@pytest.mark.parametrize(
    "change",
    [
        place(store.SHARD, 99),
        place(store.START, -1),
        place(store.START, 2**62),
        place(store.FRAMES, 0),
        place(store.FRAMES, 2**62),
        place(store.KIND_OF, 5),
        place(store.KIND_OF, -1),
        lambda header, _: header.update(kinds=[["|u1", [2**40, 6]]] * 2),
        lambda header, _: header.update(kinds=[["|u1", [2**31 - 1] * 7]] * 2),
        lambda header, _: header.update(kinds=[["|u1", [0]]] * 2),
        lambda header, _: header.update(kinds=[["|O8", [8, 6]]] * 2),
        lambda header, _: header.update(kinds=[7, 7]),
        lambda header, _: header.update(kinds=[]),
        lambda header, _: header.update(shards=[]),
        lambda header, _: header.update(shards="many"),
        lambda header, _: header["shards"].__setitem__(0, 5),
        lambda header, _: header.update(modalities=["silhouette", "depth"]),
        lambda header, _: header.update(names=[["000"]] * 3),
        lambda header, _: header.update(names=[[7] * 9] * 3),
        lambda header, _: header.update(names=7),
        lambda header, _: header.pop("names"),
        lambda header, _: header.update(kind="gaitjax index"),
        lambda _, found: found.update(codes=found["codes"][:2]),
        lambda _, found: found.update(codes=found["codes"][:, :5]),
        lambda _, found: found.update({"place/pose": found["place/pose"].astype(np.int32)}),
        lambda _, found: found.pop("reasons/ends"),
    ],
)
def test_an_index_that_cannot_be_is_refused_by_name(root, tmp_path, change):
    store.pack(root, tmp_path / "packed", FILES)
    changed(tmp_path / "packed", change)
    with pytest.raises(UserError, match=r"packed/(store\.index|shard-00000\.bin) "):
        store.open_store(tmp_path / "packed")


def lie(content):
    """Bytes of a header that announces more than there is."""
    header = json.loads(content.partition(b"\n")[0])
    header["columns"] = [["codes", "<i8", [2**20, 2**20]]]
    return json.dumps(header).encode() + b"\n" + bytes(64)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: b"", "cut off or no gaitjax store"),
        (lambda content: content[:40], "cut off or no gaitjax store"),
        (lambda content: content[:-64], "cut off or was changed"),
        (lambda content: content + bytes(64), "cut off or was changed"),
        (lambda content: content[:-70] + b"x" + content[-69:], "cut off or was changed"),
        (lambda content: b"[" * 10**5 + b"\n" + content, "cut off or no gaitjax store"),
        (lambda content: b"[]\n" + content, "cut off or no gaitjax store"),
        (
            lambda content: content.replace(b'"version": 1', b'"version": 9'),
            "a gaitjax store of version 9",
        ),
        (lie, "cut off or was changed"),
    ],
)
def test_an_index_that_was_spoilt_is_refused_by_name(root, tmp_path, spoil, message):
    store.pack(root, tmp_path / "packed", FILES)
    path = tmp_path / "packed" / store.INDEX
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(UserError, match=rf"store\.index is {message}"):
        store.open_store(tmp_path / "packed")


def test_shards_that_were_spoilt_are_refused_by_name(root, tmp_path):
    store.pack(root, tmp_path / "packed", FILES)
    path = shards(tmp_path / "packed")[1]
    content = bytearray(path.read_bytes())
    opened = store.open_store(tmp_path / "packed")
    path.write_bytes(content[:-9])
    with pytest.raises(UserError, match=r"shard-00001\.bin has \d+ bytes where \d+ were packed"):
        store.open_store(tmp_path / "packed")
    with pytest.raises(UserError, match=r"shard-00001\.bin has \d+ bytes where \d+ were packed"):
        [opened.read(row, "silhouette") for row in range(SEQUENCES)]
    content[0] ^= 1
    path.write_bytes(content)
    train = sequences.open_splits(DATASET, tmp_path / "packed", None).train
    with pytest.raises(UserError, match=r"^1 of 8 .*its silhouette was changed; pack it again"):
        sequences.verify(train, ["silhouette"], threads=2)


def test_a_store_travels_to_other_processes_without_its_frames(root, tmp_path):
    packed = store.pack(root, tmp_path / "packed", FILES)
    expected = packed.read(5, "silhouette")
    travelled = pickle.dumps(packed)
    assert len(travelled) < 20_000
    np.testing.assert_array_equal(pickle.loads(travelled).read(5, "silhouette"), expected)
