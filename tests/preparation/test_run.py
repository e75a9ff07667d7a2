"""Whatever it is distributed as, and however often it is interrupted, the tree is the same."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import archives
import numpy as np
import pytest
from preparation import walkers

from gaitjax import datasets, files, pickles
from gaitjax.datasets import Raw
from gaitjax.errors import UserError
from gaitjax.preparation import run, work
from gaitjax.preparation.journal import STAGED, Journal


def prepare(source: Path, output: Path, **options) -> list[str]:
    given = run.Options("preparation.walkers", source, output, **options)
    with threads() as executor:
        return run.prepare(given, executor, 2)


def threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2)


def tree(root: Path) -> dict[str, bytes]:
    """Every file, hidden ones among them, but for the index of what is there, which has dates."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != ".gaitjax.index"
    }


def content(root: Path) -> dict[str, bytes]:
    """The pickles and the report, without what depends on the kind of archive."""
    return {path: data for path, data in tree(root).items() if not path.startswith(".")}


def report(root: Path) -> dict:
    return json.loads((root / "prepare.json").read_text())


def left_out(root: Path) -> dict[str, str]:
    return {problem["path"]: problem["reason"] for problem in report(root)["left out"]}


def write(folder: Path, kind: str, files: dict[str, bytes]) -> Path:
    """The files as a folder, or as archives in one."""
    folder.mkdir()
    if kind == "folder":
        return walkers.write_folder(folder, files)
    if kind == "tar.gz an identity":
        for identity, own in walkers.by_identity(files).items():
            (folder / f"{identity}.tar.gz").write_bytes(archives.tar(own))
    elif kind == "zip":
        (folder / "all.zip").write_bytes(archives.packed_zip(files))
    elif kind == "7z":
        walkers.write_7z(folder / "all.7z", files, password="open")
    elif kind == "tgz in zip":
        inner = {
            f"silh/{identity}.tgz": archives.tar(own)
            for identity, own in walkers.by_identity(files).items()
        }
        return _written(folder / "all.zip", archives.packed_zip(inner))
    elif kind == "zip in tar.xz in 7z":
        inner = archives.tar({"b.zip": archives.packed_zip(files)}, "xz")
        walkers.write_7z(folder / "all.7z", {"a.tar.xz": inner})
    return folder


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


@pytest.fixture(scope="module")
def expected(tmp_path_factory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("expected")
    prepare(write(folder / "raw", "folder", walkers.raw()), folder / "tree")
    return content(folder / "tree")


KINDS = ("tar.gz an identity", "zip", "7z", "tgz in zip", "zip in tar.xz in 7z")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_archive_makes_the_tree_of_the_folder(kind, expected, tmp_path):
    source = write(tmp_path / "raw", kind, walkers.raw())
    prepare(source, tmp_path / "tree", password="open")
    assert content(tmp_path / "tree") == expected


def test_the_frames_are_those_of_the_reader_in_the_order_of_their_names(expected, tmp_path):
    files = walkers.raw()
    prepare(write(tmp_path / "raw", "folder", files), tmp_path / "tree")
    frames = pickles.read(tmp_path / "tree/002/nm-01/090/090.pkl")
    assert len(frames) == 6
    for i, frame in enumerate(frames):
        path = f"002/nm-01/090/{i:03}.png"
        np.testing.assert_array_equal(frame, walkers.silhouette(path, files[path], 64)[0])
    assert report(tmp_path / "tree")["modalities"]["pose"]["frames"] == 72


@pytest.mark.parametrize("kind", ["folder", "tar.gz an identity", "zip"])
@pytest.mark.parametrize("after", [0, 5, 13])
def test_an_interrupted_run_goes_on_to_the_same_bytes(kind, after, tmp_path, monkeypatch):
    broken = {"001/nm-01/090/002.png": b"", "003/bg-01/000/004.png": b"no image"}
    source = write(tmp_path / "raw", kind, walkers.raw() | broken)
    prepare(source, tmp_path / "whole")
    made = []

    def interrupted(job, folder, size):
        made.append(job)
        if len(made) > after:
            files.replace(folder / job.pickle, b"torn")  # without a line in the journal
            raise KeyboardInterrupt
        return make(job, folder, size)

    make = work.make
    with monkeypatch.context() as patch:
        patch.setattr(work, "make", interrupted)
        with pytest.raises(KeyboardInterrupt):
            prepare(source, tmp_path / "tree")
    journal = tmp_path / "tree/.prepare.jsonl"
    journal.write_bytes(journal.read_bytes() + b'{"pickle": "00')
    prepare(source, tmp_path / "tree")
    assert tree(tmp_path / "tree") == tree(tmp_path / "whole")


def test_a_second_run_does_nothing_and_says_so(tmp_path, monkeypatch):
    source = write(tmp_path / "raw", "tgz in zip", walkers.raw())
    assert prepare(source, tmp_path / "tree")[0] == "24 pickles made, 0 were there"
    before = tree(tmp_path / "tree")
    monkeypatch.setattr(work, "make", None)
    assert prepare(source, tmp_path / "tree")[0] == "nothing to do: all 24 pickles are there"
    assert tree(tmp_path / "tree") == before


def test_a_removed_pickle_is_made_again(tmp_path, expected):
    source = write(tmp_path / "raw", "zip", walkers.raw())
    prepare(source, tmp_path / "tree")
    (tmp_path / "tree/002/nm-01/090/090.pkl").unlink()
    assert prepare(source, tmp_path / "tree")[0] == "1 pickles made, 23 were there"
    assert content(tmp_path / "tree") == expected


def test_what_comes_in_later_is_added(tmp_path, expected):
    people = walkers.by_identity(walkers.raw())
    (tmp_path / "raw").mkdir()
    for identity, files_ in people.items():
        _written(tmp_path / f"raw/{identity}.tgz", archives.tar(files_))
        prepare(tmp_path / "raw", tmp_path / "tree")
    assert content(tmp_path / "tree") == expected


def test_other_settings_and_other_folders_are_refused(tmp_path):
    source = write(tmp_path / "raw", "folder", walkers.raw(frames=1))
    prepare(source, tmp_path / "tree")
    with pytest.raises(UserError, match=r"prepared with .*size 64, not with .*size 32"):
        prepare(source, tmp_path / "tree", size=32)
    (tmp_path / "other").mkdir()
    (tmp_path / "other/thesis.tex").write_text("")
    with pytest.raises(UserError, match="other holds something"):
        prepare(source, tmp_path / "other")
    assert [path.name for path in (tmp_path / "other").iterdir()] == ["thesis.tex"]


def test_a_root_is_prepared_by_one_process_at_a_time(tmp_path):
    journal = Journal(tmp_path / "tree", {})
    with pytest.raises(UserError, match="another process"):
        Journal(tmp_path / "tree", {})
    journal.close()


BROKEN = {
    "zero bytes": (b"", "is empty (0 bytes)"),
    "no image": (b"no image", "no grey image"),
    "cut off": (walkers.mask(3)[:60], "no grey image"),
    "empty frame": (walkers.png(np.zeros((60, 80), np.uint8)), "empty frame"),
    "wrong mode": (walkers.png(np.zeros((60, 80, 3), np.uint8)), "no grey image"),
}


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_broken_files_are_named_and_left_out(kind, tmp_path):
    paths = [f"001/nm-01/{view}/{i:03}.png" for view in ("000", "090") for i in range(4)]
    given = dict(zip(paths, BROKEN.values(), strict=False))
    source = write(
        tmp_path / "raw", kind, walkers.raw(poses=False) | {p: c for p, (c, _) in given.items()}
    )
    lines = prepare(source, tmp_path / "tree")
    prefix = "" if kind == "folder" else "all/"
    assert left_out(tmp_path / "tree") == {prefix + p: why for p, (_, why) in given.items()}
    assert len(pickles.read(tmp_path / "tree/001/nm-01/000/000.pkl")) == 2
    assert report(tmp_path / "tree")["short"] == ["001/nm-01/000/000.pkl"]
    assert any(line.startswith("5 left out, all named in prepare.json: ") for line in lines)


def test_strictly_the_first_problem_ends_it(tmp_path):
    broken = {"002/nm-01/000/001.png": b"", "003/nm-01/000/001.png": b""}
    source = write(tmp_path / "raw", "folder", walkers.raw() | broken)
    for _ in range(2):
        with pytest.raises(UserError, match=r"002/nm-01/000/001.png: is empty"):
            prepare(source, tmp_path / "tree", strict=True)
    assert not (tmp_path / "tree/prepare.json").exists()
    prepare(source, tmp_path / "tree")
    assert len(left_out(tmp_path / "tree")) == 2
    with pytest.raises(UserError, match="an earlier run left out"):
        prepare(source, tmp_path / "tree", strict=True)


def test_a_sequence_without_a_frame_has_no_pickle(tmp_path):
    files = walkers.raw(frames=2, poses=False)
    broken = {path: b"" for path in files if path.startswith("001/bg-01/090/")}
    prepare(write(tmp_path / "raw", "folder", files | broken), tmp_path / "tree")
    assert report(tmp_path / "tree")["without frames"] == ["001/bg-01/090/090.pkl"]
    assert not (tmp_path / "tree/001/bg-01/090/090.pkl").exists()


def test_a_sequence_that_is_scattered_over_an_archive_is_named(tmp_path):
    files = walkers.raw(poses=False)
    late = {path: files.pop(path) for path in list(files) if path.endswith("001/nm-01/000/005.png")}
    tar = archives.tar(files | late)
    prepare(_written(tmp_path / "raw.tgz", tar), tmp_path / "tree")
    ((path, reason),) = left_out(tmp_path / "tree").items()
    assert path == "raw/001/nm-01/000/005.png"
    assert "begins 001/nm-01/000/000.pkl anew" in reason
    assert len(pickles.read(tmp_path / "tree/001/nm-01/000/000.pkl")) == 5


@pytest.mark.parametrize("after", [0, 100, 600], ids=["a file", "half a header", "half a file"])
def test_an_archive_that_breaks_off_costs_the_sequence_that_it_breaks_in(after, tmp_path):
    source = tmp_path / "raw"
    source.mkdir()
    for identity, own in walkers.by_identity(walkers.raw(poses=False)).items():
        tar = archives.tar(own, "")
        end = tar.index(b"002/nm-01/090/003.png") + after if identity == "002" else len(tar)
        (source / f"{identity}.tar").write_bytes(tar[:end])
    prepare(source, tmp_path / "tree")
    said = left_out(tmp_path / "tree")
    assert said.pop("002.tar").startswith("cannot be read on: ")
    reason = said.pop("002/002/nm-01/090/000.png")
    assert reason.startswith("002/nm-01/090/090.pkl is left out: its archive breaks off")
    assert not said
    assert not (tmp_path / "tree/002/nm-01/090").exists()
    assert report(tmp_path / "tree")["sequences"] == 11


def test_paired_modalities_keep_the_frames_that_all_have(tmp_path):
    files = walkers.raw()
    lost = {"001/nm-01/000/002_pose.txt", "001/nm-01/000/004.png", "001/nm-01/000/005.png"}
    source = write(tmp_path / "raw", "folder", {p: c for p, c in files.items() if p not in lost})
    prepare(source, tmp_path / "tree")
    frames = pickles.read(tmp_path / "tree/001/nm-01/000/000.pkl")
    poses = pickles.read(tmp_path / "tree/001/nm-01/000/pose.pkl")
    assert len(frames) == len(poses) == 3
    assert poses[:, 0, 0].tolist() == [0, 1, 3]
    assert report(tmp_path / "tree")["unpaired"] == {
        "001/nm-01/000/000.pkl": ["002"],
        "001/nm-01/000/pose.pkl": ["004", "005"],
    }
    before = tree(tmp_path / "tree")
    prepare(source, tmp_path / "tree")
    assert tree(tmp_path / "tree") == before


def test_names_are_arranged_when_all_of_an_identity_is_known(tmp_path, monkeypatch):
    arranged = replace(walkers.DATASET, arrange=walkers.numbered, raw=(walkers.SILHOUETTE,))
    monkeypatch.setattr(datasets, "get", lambda name: arranged)
    source = write(tmp_path / "raw", "zip", walkers.raw(poses=False))
    prepare(source, tmp_path / "tree")
    found = sorted(
        str(p.relative_to(tmp_path / "tree")) for p in (tmp_path / "tree").rglob("*.pkl")
    )
    assert found[:3] == ["001/00/000/000.pkl", "001/00/090/090.pkl", "001/01/000/000.pkl"]
    assert len(found) == 12
    assert not (tmp_path / "tree" / STAGED).exists()
    assert prepare(source, tmp_path / "tree")[0] == "nothing to do: all 12 pickles are there"


def test_a_kill_while_names_are_arranged_changes_nothing(tmp_path, monkeypatch):
    arranged = replace(walkers.DATASET, arrange=walkers.numbered)
    monkeypatch.setattr(datasets, "get", lambda name: arranged)
    source = write(tmp_path / "raw", "zip", walkers.raw())
    prepare(source, tmp_path / "whole")
    moved, move = [], Path.rename

    def rename(self, target):
        moved.append(self)
        if len(moved) > 5:
            raise KeyboardInterrupt
        move(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            prepare(source, tmp_path / "tree")
    prepare(source, tmp_path / "tree")
    assert tree(tmp_path / "tree") == tree(tmp_path / "whole")


@pytest.mark.parametrize("name", ["..", ".hidden", "", "a/b", "x" * 300])
def test_a_name_that_no_folder_may_have_is_refused(name, tmp_path, monkeypatch):
    raw = Raw("silhouette", r"(?P<view>\d{3})\.png$", walkers.silhouette, type="t", identity=name)
    monkeypatch.setattr(datasets, "get", lambda _: replace(walkers.DATASET, raw=(raw,)))
    source = write(tmp_path / "raw", "folder", walkers.raw(frames=1, poses=False))
    with pytest.raises(UserError, match=r"makes .*name"):
        prepare(source, tmp_path / "tree")
    assert not (tmp_path / "tree").exists()


def test_names_beyond_ascii_work(tmp_path, monkeypatch):
    raw = Raw("silhouette", r"(?P<identity>[^/]+)/(?P<type>[^/]+)/(?P<view>\w+)/\w+\.png$",
              walkers.silhouette)  # fmt: skip
    monkeypatch.setattr(datasets, "get", lambda _: replace(walkers.DATASET, raw=(raw,)))
    files = {f"李明/näh-01/東/{i}.png": walkers.mask(i) for i in range(5)}
    prepare(_written(tmp_path / "步态.zip", archives.packed_zip(files)), tmp_path / "données")
    assert len(pickles.read(tmp_path / "données/李明/näh-01/東/東.pkl")) == 5


def test_an_input_of_another_layout_is_explained(tmp_path):
    source = write(tmp_path / "raw", "folder", walkers.raw(frames=1, poses=False))
    with pytest.raises(UserError, match=r"it holds 000/000.png, .*give --input .*raw instead"):
        prepare(source / "001/nm-01", tmp_path / "tree")
    deep = {p.replace("/000.png", "/masks/000.png"): c for p, c in walkers.raw(1, False).items()}
    with pytest.raises(UserError, match="the folder 'masks' is a level too many"):
        prepare(write(tmp_path / "deep", "folder", deep), tmp_path / "tree")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="it holds no files"):
        prepare(tmp_path / "empty", tmp_path / "tree")
    assert not (tmp_path / "tree").exists()
