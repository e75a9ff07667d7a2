import os
from pathlib import Path

import numpy as np
import pytest

from gaitjax import pickles
from gaitjax.data import tree
from gaitjax.errors import UserError

FILES = {"silhouette": "*aligned-sils*.pkl|{view}.pkl|*.pkl", "pose": "pose.pkl"}
OLD = 10**18  # nanoseconds since 1970


def add(root, folder, *names):
    """Empty files in a folder."""
    (root / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        (root / folder / name).write_bytes(b"")


def settle(root):
    """Gives all folders a time long past, so that what is found in them may be kept."""
    for folder in (root, *root.glob("*"), *root.glob("*/*"), *root.glob("*/*/*")):
        os.utime(folder, ns=(OLD, OLD))


@pytest.fixture
def root(tmp_path):
    """Three sequences and an empty folder, of long ago."""
    root = tmp_path / "données"
    for folder in ("001/nm-01/000", "001/nm-01/018", "002/bg-01/000"):
        add(root, folder, f"{folder[-3:]}.pkl", "pose.pkl")
    add(root, "002/bg-01/018")
    settle(root)
    return root


def names(found):
    return ["/".join(found.names[row]) for row in range(len(found.names))]


def only(root, files, folder):
    """The tree that has one sequence."""
    found = tree.scan(root, files)
    assert names(found) == [folder]
    return found


def test_the_first_pattern_that_matches_names_the_file(tmp_path):
    folder = "001/U0_D0/01_0"
    for name in ("only.pkl", "01_0.pkl", "01_0-aligned-sils.pkl"):
        add(tmp_path, folder, name, "._hidden.pkl")
        assert only(tmp_path, FILES, folder).path(0, "silhouette").endswith(f"/{name}")
    add(tmp_path, folder, "02_0-aligned-sils.pkl")
    with pytest.raises(UserError, match=r"has 2 files named .* it holds 01_0-aligned-sils\.pkl, "):
        only(tmp_path, FILES, folder).path(0, "silhouette")


def test_names_are_no_patterns(tmp_path):
    folder = "a[1]/{type}/v*"
    add(tmp_path, folder, "a[1]-{type}-v*.pkl", "a1-{type}-v*.pkl", "a[1]-{type}-v2.pkl")
    for pattern in ("{identity}-{type}-{view}.pkl", "{identity}-*-{view}.pkl"):
        found = only(tmp_path, {"silhouette": pattern}, folder)
        assert found.path(0, "silhouette").endswith("/a[1]-{type}-v*.pkl")


def test_a_sequence_without_its_file_is_named(root):
    found = tree.scan(root, {"silhouette": "sils.pkl", "pose": "pose.pkl"})
    assert found.has(0, "pose")
    assert not found.has(0, "silhouette")
    with pytest.raises(UserError, match=r"nm-01/000 has 0 files named sils\.pkl.*holds 000\.pkl"):
        found.read(0, "silhouette")
    with pytest.raises(UserError, match=r"asks for 'depth'; the dataset has pose, silhouette"):
        found.read(0, "depth")


def test_what_was_found_is_kept_and_the_same(root, monkeypatch):
    first = tree.open_tree(root, FILES)
    monkeypatch.setattr(tree, "scan", None)
    again = tree.open_tree(root, FILES)
    assert names(again) == names(first) == ["001/nm-01/000", "001/nm-01/018", "002/bg-01/000"]
    assert again.without == first.without == ["002/bg-01/018"]
    assert again.identities == first.identities == ["001", "002"]
    for modality in FILES:
        assert again.path(1, modality) == first.path(1, modality)
        assert Path(again.path(1, modality)).exists()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda root: add(root, "003/nm-01/000", "a.pkl"), 4),
        (lambda root: add(root, "001/cl-01/000", "a.pkl"), 4),
        (lambda root: add(root, "001/nm-01/036", "a.pkl"), 4),
        (lambda root: add(root, "002/bg-01/018", "018.pkl"), 4),  # was empty
        (lambda root: (root / "001/nm-01/018").rename(root / "002/nm"), 2),
        (lambda root: (root / "002").rename(root.parent / "002"), 2),
        (lambda root: (root / tree.INDEX).write_bytes(b"{}"), 3),
        (lambda root: (root / tree.INDEX).write_bytes((root / tree.INDEX).read_bytes()[:-1]), 3),
    ],
)
def test_changed_folders_and_broken_indices_are_looked_at_anew(root, change, found):
    assert len(tree.open_tree(root, FILES).names) == 3
    change(root)
    assert len(tree.open_tree(root, FILES).names) == found


def test_other_patterns_are_looked_for_anew(root):
    assert tree.open_tree(root, FILES).path(0, "silhouette").endswith("/000.pkl")
    other = {**FILES, "silhouette": "p*.pkl"}
    assert tree.open_tree(root, other).path(0, "silhouette").endswith("/pose.pkl")


def test_folders_that_may_still_change_unnoticed_are_looked_at_anew(root):
    now = (root / "001").stat().st_ctime_ns
    os.utime(root / "001/nm-01", ns=(now, now))
    tree.open_tree(root, FILES)
    add(root, "001/nm-01/036", "a.pkl")
    os.utime(root / "001/nm-01", ns=(now, now))  # within the tick of the disk's clock
    assert len(tree.open_tree(root, FILES).names) == 4


def test_a_pickle_that_came_since_is_found(root):
    (root / "001/nm-01/000/pose.pkl").unlink()
    tree.open_tree(root, FILES)
    settle(root)
    pickles.write(root / "001/nm-01/000/pose.pkl", np.ones((4, 17, 3)))
    assert tree.open_tree(root, FILES).read(0, "pose").shape == (4, 17, 3)


def test_a_root_that_cannot_be_written_to_does_without(root, monkeypatch):
    def refuse(path, data):
        raise UserError("read-only")

    monkeypatch.setattr(tree.writing, "replace", refuse)
    assert len(tree.open_tree(root, FILES).names) == 3
    assert not (root / tree.INDEX).exists()
