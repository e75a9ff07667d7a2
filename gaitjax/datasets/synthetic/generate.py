"""Writes the walkers as a dataset on disk: root/identity/type/view/{silhouette,pose}.pkl."""

import dataclasses
import hashlib
import json
import os
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gaitjax import progress
from gaitjax.datasets.synthetic.sequence import record
from gaitjax.errors import UserError

VERSION = 1  # raise it whenever the same options give other data

MARK = "options.json"  # what the data of a folder were made of


@dataclasses.dataclass(frozen=True)
class Options:
    """What is generated.

    Attributes:
        seed: of all random choices.
        train_identities: how many people are in the training split: the first ones.
        test_identities: how many are in the test split: those that follow.
        types: CASIA-B's names of walks: 'nm-01' as usual, 'bg-01' with a bag, 'cl-01' in a coat.
        views: degrees between the direction of the walk and that to the camera; CASIA-B has
            '000', '018', ... '180'.
        frames: smallest and largest number of frames of a walk, both included.
    """

    seed: int
    train_identities: int
    test_identities: int
    types: tuple[str, ...]
    views: tuple[str, ...]
    frames: tuple[int, int]

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> "Options":
        """Checks the options of a config.

        Raises:
            UserError: if one is missing, unknown or cannot be generated.
        """
        expected = {field.name for field in dataclasses.fields(cls)}
        if wrong := expected.symmetric_difference(options):
            raise UserError(
                f"data.options of the synthetic walkers: {', '.join(sorted(wrong))} missing or "
                f"unknown; expected are {', '.join(sorted(expected))}"
            )
        tuples = {name: tuple(options[name]) for name in ("types", "views", "frames")}
        checked = cls(**{**options, **tuples})
        checked._refuse_nonsense()
        return checked

    def _refuse_nonsense(self) -> None:
        rules = [
            ("seed", self.seed >= 0, "zero or more"),
            ("train_identities", self.train_identities >= 0, "zero or more"),
            ("test_identities", self.test_identities >= 0, "zero or more"),
            ("types", _all_match(r"(nm|bg|cl)-\d\d", self.types), "names such as 'nm-01'"),
            ("views", _all_match(r"\d\d\d", self.views), "degrees such as '090'"),
            ("frames", len(self.frames) == 2 and 0 < self.frames[0] <= self.frames[1],
             "(smallest, largest)"),
        ]  # fmt: skip
        for name, fine, wanted in rules:
            if not fine:
                raise UserError(f"data.options.{name} is {getattr(self, name)!r}; give {wanted}")

    def split(self) -> dict[str, list[str]]:
        """The partition JSON: TRAIN_SET and TEST_SET."""
        total = self.train_identities + self.test_identities
        names = [f"{number:03d}" for number in range(1, total + 1)]
        train = self.train_identities
        return {"TRAIN_SET": names[:train], "TEST_SET": names[train:]}


def _all_match(pattern: str, names: tuple[str, ...]) -> bool:
    return bool(names) and all(re.fullmatch(pattern, name) for name in names)


def cache_name(options: Mapping[str, Any]) -> str:
    """The name of a folder for these options: other options, or other code, another name.

    Args:
        options: the fields of `Options`.

    Raises:
        UserError: if the options are not right.
    """
    digest = hashlib.sha256(_text(Options.of(options)).encode()).hexdigest()
    return f"synthetic-v{VERSION}-{digest[:12]}"


def _text(options: Options) -> str:
    return json.dumps({"version": VERSION, **dataclasses.asdict(options)}, sort_keys=True)


def generate(root: Path, options: Mapping[str, Any]) -> None:
    """Writes what is missing below the root: sequences, and the split as partition.json.

    Every file appears whole or not at all, and always with the same content: a run that was killed
    can be repeated, and several processes may work on the same root.

    Args:
        root: the folder of the dataset; made if it is missing.
        options: the fields of `Options`.

    Raises:
        UserError: if the options are not right, or the folder holds the data of other options.
    """
    chosen = Options.of(options)
    _claim(root, _text(chosen))
    partition = chosen.split()
    _write(root / "partition.json", json.dumps(partition).encode())
    missing = [
        (identity, sequence, view)
        for identity in partition["TRAIN_SET"] + partition["TEST_SET"]
        for sequence in chosen.types
        for view in chosen.views
        if not _complete(root / identity / sequence / view)
    ]
    for identity, sequence, view in progress.bar(missing, len(missing), "making walkers"):
        recording = record(chosen.seed, identity, sequence, view, chosen.frames)
        for name, array in recording._asdict().items():
            _write_array(root / identity / sequence / view / f"{name}.pkl", array)


def _claim(root: Path, text: str) -> None:
    """Marks the folder as holding the data of these options."""
    mark = root / MARK
    if mark.exists() and mark.read_text() != text:
        raise UserError(
            f"{mark} says that {root} holds walkers of other options or of another version; "
            "choose another data.root, or delete that folder"
        )
    _write(mark, text.encode())


def _complete(folder: Path) -> bool:
    return all((folder / f"{name}.pkl").exists() for name in ("silhouette", "pose"))


def _write_array(path: Path, array: NDArray[Any]) -> None:
    _write(path, pickle.dumps(np.ascontiguousarray(array), protocol=4))


def _write(path: Path, content: bytes) -> None:
    """Writes a file whole or not at all, whoever else writes it at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        unfinished.write_bytes(content)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
