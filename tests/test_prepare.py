"""The command that prepares a dataset: killed, without room, given nonsense, and asked."""

import logging
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import archives
import pytest
from preparation import test_run, walkers

from gaitjax import command, pickles, prepare
from gaitjax.errors import UserError

TESTS = Path(__file__).parent
NAME = "preparation.walkers"


def start(*arguments: object, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-m", "gaitjax.prepare", *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": str(TESTS), "GAITJAX_PASSWORD": ""} | environment,
        cwd=TESTS.parent,
        stderr=subprocess.PIPE,
        text=True,
    )


def refused(*arguments: object) -> str:
    """What the command exits with, in this process."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    with pytest.raises(SystemExit) as end:
        command.guarded(lambda: prepare.main([str(argument) for argument in arguments]))
    root.handlers = handlers
    root.setLevel(level)
    assert isinstance(end.value.code, str)
    assert end.value.code.startswith("error: ")
    assert "\n" not in end.value.code
    return end.value.code


def descendants(process: int) -> list[int]:
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [pid for child in map(int, children) for pid in (child, *descendants(child))]


def test_a_killed_run_goes_on_to_the_same_bytes(tmp_path):
    broken = {"001/nm-01/090/002.png": b""}
    raw = tmp_path / "raw"
    test_run.write(raw, "tgz in zip", walkers.raw(frames=100, poses=False) | broken)
    test_run.prepare(raw, tmp_path / "whole")
    root = tmp_path / "tree"
    given = (NAME, "--input", raw, "--output", root, "--workers", 2)
    process = start(*given)
    while len(list(root.rglob("*.pkl"))) < 4:
        time.sleep(0.002)
    workers = descendants(process.pid)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert len(workers) >= 2
    while any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers):  # they end with it
        time.sleep(0.01)
    assert not (root / "prepare.json").exists()
    process = start(*given)
    said = process.communicate()[1]
    assert process.returncode == 0, said
    assert "1 left out" in said
    assert test_run.tree(root) == test_run.tree(tmp_path / "whole")


@pytest.mark.parametrize("small_disk", ["200k"], indirect=True)
def test_a_full_disk_is_named_and_tears_nothing(small_disk, tmp_path):
    raw = test_run.write(tmp_path / "raw", "zip", walkers.raw())
    test_run.prepare(raw, tmp_path / "whole")
    root = small_disk / "tree"
    with pytest.raises(UserError, match=rf"{root}.* cannot be written to: No space left"):
        test_run.prepare(raw, root)
    made = list(root.rglob("*.pkl"))
    assert 0 < len(made) < 24
    assert all(len(pickles.read(path)) == 6 for path in made)
    subprocess.run([shutil.which("mount"), "-o", "remount,size=2m", small_disk], check=True)
    test_run.prepare(raw, root)
    assert test_run.tree(root) == test_run.tree(tmp_path / "whole")


def test_the_password_is_read_from_a_file_or_the_environment(tmp_path, monkeypatch):
    files = walkers.raw(frames=1, poses=False)
    raw = walkers.write_7z(tmp_path / "raw.7z", files, password="yes")
    good = walkers.write_folder(tmp_path / "in", {"good.zip": archives.packed_zip(files)})
    shutil.move(raw, good / "raw.7z")
    given = (NAME, "--input", good, "--output", tmp_path / "tree", "--workers", 1)
    monkeypatch.setattr(prepare, "ProcessPoolExecutor", lambda *_, **__: test_run.threads())
    monkeypatch.delenv("GAITJAX_PASSWORD", raising=False)
    said = refused(*given)
    assert "not opened, while all else is prepared: raw.7z needs a password" in said
    assert len(list((tmp_path / "tree").rglob("*.pkl"))) == 12
    (tmp_path / "password").write_text("no\n")
    assert "raw.7z is not opened by the password" in refused(
        *given, "--password_file", tmp_path / "password"
    )
    assert not (tmp_path / "tree/prepare.json").exists()
    monkeypatch.setenv("GAITJAX_PASSWORD", "yes")
    prepare.main([str(argument) for argument in given])
    assert (tmp_path / "tree/prepare.json").exists()


def test_what_cannot_be_prepared_is_refused_in_one_line(tmp_path):
    raw = test_run.write(tmp_path / "raw", "folder", walkers.raw(frames=1))
    (tmp_path / "file.txt").write_text("")
    out = tmp_path / "tree"
    cases = {
        "the following arguments are required: dataset": (),
        "casia_b": ("casia_z", "--input", raw, "--output", out),
        "says nothing of raw files": ("synthetic", "--input", raw, "--output", out),
        "does not exist": (NAME, "--input", tmp_path / "nothing", "--output", out),
        "is no archive": (NAME, "--input", tmp_path / "file.txt", "--output", out),
        "lies in --input": (NAME, "--input", raw, "--output", raw / "tree"),
        "is a file": (NAME, "--input", raw, "--output", tmp_path / "file.txt"),
        "cannot be written to": (NAME, "--input", raw, "--output", "/proc/tree"),
        "nothing.json is no file": (
            *(NAME, "--input", raw, "--output", out),
            *("--partition", tmp_path / "nothing.json"),
        ),
        "--size is 63": (NAME, "--input", raw, "--output", out, "--size", 63),
        "--workers is 0": (NAME, "--input", raw, "--output", out, "--workers", 0),
        "invalid int value": (NAME, "--input", raw, "--output", out, "--workers", "many"),
        "secret cannot be read": (
            *(NAME, "--input", raw, "--output", out),
            *("--password_file", tmp_path / "secret"),
        ),
        "unrecognized arguments: --colour": (NAME, "--input", raw, "--output", out, "--colour"),
    }
    for named, arguments in cases.items():
        assert named in refused(*arguments)
    assert not out.exists()


@pytest.fixture
def tree(tmp_path) -> Path:
    raw = test_run.write(tmp_path / "raw", "folder", walkers.raw())
    test_run.prepare(raw, tmp_path / "tree")
    return tmp_path / "tree"


def checked(caplog, *arguments: object) -> list[str]:
    caplog.clear()
    with caplog.at_level("INFO", "gaitjax"):
        prepare.main(["check", *map(str, arguments)])
    return caplog.messages


def test_check_says_what_is_there(tree, caplog):
    lines = checked(caplog, tree)
    assert lines[0] == (f"walkers ({NAME}) in {tree}: 12 sequences, 3 identities, 2 types, 2 views")
    assert "silhouette: 12 pickles, 72 frames" in lines
    assert "walkers, train: 1 of 1 identities, 4 sequences" in lines
    fingerprints = test_run.report(tree)["fingerprints"]
    assert f"fingerprint of silhouette: {fingerprints['silhouette']}" in lines


def test_check_says_what_is_missing(tree, caplog):
    shutil.rmtree(tree / "002")
    (tree / "001/nm-01/000/pose.pkl").unlink()
    path = tree / "003/nm-01/000/pose.pkl"
    pickles.write(path, pickles.read(path)[:4])
    text = "\n".join(checked(caplog, tree))
    assert f"1 sequences without one pickle of pose: {tree}/001/nm-01/000" in text
    assert f"different length: {tree}/003/nm-01/000 (6 of silhouette, 4 of pose)" in text
    assert "1 sequences with fewer than 5 frames" in text
    assert "test: 1 identities are missing: 002" in text


def test_check_names_what_is_broken(tree, caplog):
    path = tree / "003/nm-01/000/000.pkl"
    path.write_bytes(path.read_bytes()[:-9])
    code = refused("check", tree)
    assert f"1 are broken in {tree}: {path} is cut off" in code


def test_a_packed_tree_is_checked_as_the_tree_is(tree, tmp_path, caplog):
    before = checked(caplog, tree)
    (tree / "003/nm-01/000/000.pkl").write_bytes(b"broken")
    store = tmp_path / "store"
    assert "003/nm-01/000" in refused("pack", tree, "--output", store, "--strict")
    with caplog.at_level("INFO", "gaitjax"):
        prepare.main(["pack", str(tree), "--output", str(store)])
    assert any(line.startswith("1 broken sequences left out") for line in caplog.messages)
    test_run.prepare(tmp_path / "raw", tmp_path / "again")
    prepare.main(["pack", str(tmp_path / "again"), "--output", str(store)])
    after = checked(caplog, store, "--dataset", NAME)
    assert after == [line.replace(str(tree), str(store)) for line in before]
    shard = next(store.glob("shard-*"))
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    assert "was changed" in refused("check", store, "--dataset", NAME)


def test_check_finds_the_level(tree, caplog):
    found = refused("check", tree.parent, "--dataset", NAME)
    assert "lies 4 folders below it; expected 3 (root/identity/type/view/*.pkl): set" in found
    assert f"to {tree}" in found
    for path in [tree / "prepare.json", *tree.rglob("pose.pkl")]:
        path.unlink()
    assert checked(caplog, tree)[0].startswith("own data (folder)")
    assert "casia_z" in refused("check", tree, "--dataset", "casia_z")
    assert "does not exist" in refused("check", tree / "nothing")
