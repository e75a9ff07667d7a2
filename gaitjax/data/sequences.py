"""The sequences of a dataset on disk: `root/identity/type/view/*.pkl`, and their two splits."""

import dataclasses
import fnmatch
import glob
import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from gaitjax import pickles, progress
from gaitjax.datasets import Dataset
from gaitjax.errors import UserError

LAYOUT = "root/identity/type/view/*.pkl"
# modality -> its data type, and the axes of one frame; channels may lie first in the file
FRAMES = {
    **dict.fromkeys(("silhouette", "mask", "parsing"), ("uint8", ("height", "width"))),
    **dict.fromkeys(("rgb", "depth", "flow"), ("uint8", ("height", "width", 3))),
    "heatmap": ("uint8", ("height", "width", 2)),
    "pose": ("float", ("joints", "channels")),
    "smpl": ("float", (85,)),
    "ratio": ("float", ()),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Sequences:
    """N sequences, each a folder with one pickle a modality.

    Attributes:
        identities: str [N].
        types: str [N], the condition and its number, such as 'nm-01'.
        views: str [N].
        folders: str [N].
        files: modality -> pattern of its pickle, as in `datasets.Dataset`.
        classes: label -> pattern of types -> class, as `labels` of `datasets.Dataset`.
    """

    identities: np.ndarray
    types: np.ndarray
    views: np.ndarray
    folders: np.ndarray
    files: Mapping[str, str]
    classes: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.identities)

    def select(self, rows: np.ndarray) -> "Sequences":
        """The sequences of these rows, int or bool, in their order."""
        return dataclasses.replace(
            self,
            identities=self.identities[rows],
            types=self.types[rows],
            views=self.views[rows],
            folders=self.folders[rows],
        )

    def labels(self) -> tuple[np.ndarray, list[str]]:
        """The identities as numbers.

        Returns:
            int32 [N], and the names that the numbers index, sorted as strings.
        """
        names, labels = np.unique(self.identities, return_inverse=True)
        return labels.astype(np.int32), names.tolist()

    def all_labels(self) -> dict[str, np.ndarray]:
        """The identities as numbers, and the classes of every further label.

        Returns:
            label -> int32 [N]; 'identity' is among them.

        Raises:
            UserError: if a type has no class; names the first folder.
        """
        further = {
            label: np.array([self._class(row, label) for row in range(len(self))], np.int32)
            for label in self.classes
        }
        return {"identity": self.labels()[0], **further}

    def _class(self, row: int, label: str) -> int:
        """Of a sequence, from its type."""
        type_, classes = str(self.types[row]), self.classes[label]
        found = [c for pattern, c in classes.items() if fnmatch.fnmatchcase(type_.lower(), pattern)]
        if not found:
            raise UserError(
                f"{self.folders[row]} is of type {type_!r}, which has no {label}; "
                f"expected {', '.join(classes)}: rename or remove the folder"
            )
        return found[0]

    def path(self, row: int, modality: str) -> Path:
        """The pickle of one modality of one sequence.

        Raises:
            UserError: if the dataset has no such modality, or not exactly one file is that of it.
        """
        if modality not in self.files:
            raise UserError(
                f"config.data.modalities asks for {modality!r}; the dataset has "
                f"{', '.join(sorted(self.files))}"
            )
        folder = str(self.folders[row])  # os.scandir takes a numpy.str_ for bytes
        names = _names(folder, files=True)
        escaped = {
            "identity": glob.escape(self.identities[row]),
            "type": glob.escape(self.types[row]),
            "view": glob.escape(self.views[row]),
        }
        found: list[str] = []
        for pattern in self.files[modality].split("|"):
            found = found or fnmatch.filter(names, pattern.format(**escaped))
        if len(found) != 1:
            raise UserError(
                f"{folder} has {len(found)} files named {self.files[modality]}, where one pickle "
                f"of {modality} is expected; it holds {_some(names)}"
            )
        return Path(folder, found[0])

    def read(self, row: int, modality: str) -> np.ndarray:
        """The frames of one modality of one sequence.

        Returns:
            [T, ...], T at least 1; floats are float32.

        Raises:
            UserError: as `path` and `pickles.read` do; if the array has no frames, or is not one of
                this modality.
        """
        path = self.path(row, modality)
        return checked(str(path), modality, pickles.read(path))

    def frames(self, row: int, modalities: Sequence[str]) -> dict[str, np.ndarray]:
        """The frames of several modalities of one sequence.

        Returns:
            modality -> [T, ...], the same T for all.

        Raises:
            UserError: as `read` does, or if the modalities differ in length.
        """
        arrays = {modality: self.read(row, modality) for modality in modalities}
        lengths = {modality: len(array) for modality, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(
                f"{self.folders[row]} has "
                + ", ".join(f"{length} frames of {m}" for m, length in lengths.items())
                + "; the modalities of a sequence must have the same frames"
            )
        return arrays


@dataclasses.dataclass(frozen=True)
class Splits:
    """What is trained on and what is tested on.

    Attributes:
        train: the sequences of the training split.
        test: those of the test split.
        lines: what was found and what is missing, for the log.
    """

    train: Sequences
    test: Sequences
    lines: list[str]


def open_splits(dataset: Dataset, root: Path, partition: Path | None) -> Splits:
    """Finds the sequences of both splits, and says how many of those that are expected.

    Args:
        dataset: its names, and its split where no partition is given.
        root: holds identity/type/view/*.pkl. Folders without a pickle are left out.
        partition: a JSON file with the lists TRAIN_SET and TEST_SET, as OpenGait has them; None for
            the dataset's own split.

    Raises:
        UserError: if the root is missing, empty or of another layout, if there is no split or the
            partition is none, or if a split that lists identities has no sequence.
    """
    on_disk = _identities(root)
    listed = _listed(dataset, root, partition, on_disk)
    lines: list[str] = []
    splits: list[Sequences] = []
    for name, identities in zip(("train", "test"), listed, strict=True):
        sequences, without = _scan(dataset, root, sorted(set(identities) & set(on_disk)))
        if identities and not len(sequences):
            raise UserError(_why_empty(root, name, identities, on_disk))
        splits.append(sequences)
        lines += _report(dataset, name, set(identities), sequences, without)
    unlisted = sorted(set(on_disk) - set(listed[0]) - set(listed[1]))
    if unlisted:
        lines.append(f"in neither split: {len(unlisted)} folders: {_some(unlisted)}")
    return Splits(splits[0], splits[1], lines)


def verify(sequences: Sequences, modalities: Sequence[str], threads: int) -> None:
    """Reads every file once.

    Args:
        sequences: what is read.
        modalities: what is read of each.
        threads: how many files are read at the same time.

    Raises:
        UserError: if any is broken; names the first, its cause, and how many there are.
    """

    def cause(row: int) -> str:
        try:
            sequences.frames(row, modalities)
        except UserError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(threads) as pool:
        causes = pool.map(cause, range(len(sequences)))
        broken = [c for c in progress.bar(causes, len(sequences), "checking files") if c]
    if broken:
        raise UserError(f"{len(broken)} of {len(sequences)} sequences are broken: {broken[0]}")


def fingerprint(splits: Splits, modalities: Sequence[str]) -> str:
    """A short hash of the names, splits and file sizes of the data, wherever they lie.

    Args:
        splits: what is trained and tested on.
        modalities: whose files count.

    Returns:
        16 hexadecimal digits.

    Raises:
        UserError: as `Sequences.path` does: a check that every sequence has its files.
    """
    digest = hashlib.sha256()
    for name, split in (("train", splits.train), ("test", splits.test)):
        for row in range(len(split)):
            names = (name, split.identities[row], split.types[row], split.views[row])
            sizes = [split.path(row, modality).stat().st_size for modality in modalities]
            digest.update(
                "\0".join([*names, *map(str, sizes), ""]).encode(errors="surrogateescape")
            )
    return digest.hexdigest()[:16]


def checked(name: str, modality: str, array: np.ndarray) -> np.ndarray:
    """The frames of one modality: [T, ...], T at least 1, channels last; floats are float32.

    Args:
        name: of the array, for errors.
        modality: what it has to be.
        array: images may have their channels first.

    Raises:
        UserError: if the array has no frames, or is not one of this modality.
    """
    if modality in FRAMES:
        kind, axes = FRAMES[modality]
        array = _channels_last(array, axes)
        if array.dtype.name[: len(kind)] != kind or not _has_axes(array, axes):
            raise UserError(
                f"{name} holds {array.dtype} {list(array.shape)}; a {modality} is {kind} "
                f"[{', '.join(map(str, ('frames', *axes)))}]: check what it is, or convert it"
            )
    if len(array) == 0:
        raise UserError(f"{name} has no frames; delete the sequence or make it again")
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _channels_last(array: np.ndarray, axes: tuple[str | int, ...]) -> np.ndarray:
    """Images [T, H, W, C] of [T, C, H, W], as PyTorch's tools write them; all else as it is."""
    first = len(axes) == 3 and array.ndim == 4 and array.shape[1] == axes[2] != array.shape[3]
    return np.moveaxis(array, 1, 3) if first else array


def _has_axes(array: np.ndarray, axes: tuple[str | int, ...]) -> bool:
    """Whether an array is [T, *axes]; a name stands for any length."""
    return array.ndim == 1 + len(axes) and all(
        isinstance(axis, str) or axis == length
        for axis, length in zip(axes, array.shape[1:], strict=True)
    )


def _names(folder: Path | str, files: bool) -> list[str]:
    """The files or the folders in a folder, sorted, without hidden ones."""
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir() != files
            )
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}; check its rights") from error


def _identities(root: Path) -> list[str]:
    """The folders of a root, which must be there and have some."""
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise UserError(f"config.data.root is {root}, which {what}; expected {LAYOUT}")
    names = _names(root, files=False)
    if not names:
        what = "only files" if _names(root, files=True) else "nothing"
        raise UserError(f"config.data.root is {root}, which holds {what}; expected {LAYOUT}")
    return names


def _listed(
    dataset: Dataset, root: Path, partition: Path | None, on_disk: list[str]
) -> tuple[list[str], list[str]]:
    """The identities that the two splits should have."""
    if partition is None and dataset.generate and (root / "partition.json").exists():
        partition = root / "partition.json"
    if partition is not None:
        return _partition(partition)
    if dataset.split is None:
        raise UserError(
            f"{dataset.title} has no built-in split; set config.data.partition to a JSON file with "
            f"the lists TRAIN_SET and TEST_SET: {dataset.partition}"
        )
    return dataset.split(on_disk)


def _partition(path: Path) -> tuple[list[str], list[str]]:
    """TRAIN_SET and TEST_SET of a partition JSON."""
    try:
        content = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(
            f"config.data.partition: {path} cannot be read: {error.strerror}; check it"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"config.data.partition: {path} is no JSON: {error}") from error
    sets = []
    for key in ("TRAIN_SET", "TEST_SET"):
        names = content.get(key) if isinstance(content, dict) else None
        if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
            raise UserError(
                f"config.data.partition: {path} has no list of names {key}; expected "
                '{"TRAIN_SET": ["001", ...], "TEST_SET": [...]}'
            )
        sets.append(names)
    both = sorted(set(sets[0]) & set(sets[1]))
    if both:
        raise UserError(
            f"config.data.partition: {path} has {len(both)} identities in both TRAIN_SET and "
            f"TEST_SET ({_some(both)}); take them out of one"
        )
    return sets[0], sets[1]


def _scan(dataset: Dataset, root: Path, identities: list[str]) -> tuple[Sequences, list[str]]:
    """The sequences of some identities, and the folders that have no pickle."""
    rows: list[tuple[str, str, str, str]] = []
    without: list[str] = []
    for identity in identities:
        for type_ in _names(f"{root}/{identity}", files=False):
            for view in _names(f"{root}/{identity}/{type_}", files=False):
                folder = f"{root}/{identity}/{type_}/{view}"  # Path is slow, and these are many
                if any(name.endswith(".pkl") for name in _names(folder, files=True)):
                    rows.append((identity, type_, view, folder))
                else:
                    without.append(f"{identity}/{type_}/{view}")
    names, types, views, folders = (np.array([row[i] for row in rows], str) for i in range(4))
    return Sequences(names, types, views, folders, dataset.files, dataset.labels), without


def _report(
    dataset: Dataset, name: str, listed: set[str], sequences: Sequences, without: list[str]
) -> list[str]:
    """What was found of a split, a line for each thing to know."""
    missing = sorted(listed - set(sequences.identities.tolist()))
    published = dataset.expected.get(name, len(listed))
    line = f"{dataset.title}, {name}: {len(listed) - len(missing)} of {len(listed)} identities"
    line += f" ({published} as published)" if published != len(listed) else ""
    lines = [f"{line}, {len(sequences)} sequences"]
    if missing:
        lines.append(f"{name}: {len(missing)} identities are missing: {_some(missing)}")
    if without:
        lines.append(f"{name}: {len(without)} folders have no pickle, left out: {_some(without)}")
    return lines


def _why_empty(root: Path, name: str, identities: list[str], on_disk: list[str]) -> str:
    """What is wrong with a tree in which a split has no sequence, and what to do."""
    example = _first_pickle(root, 6)
    if example is None:
        return f"config.data.root is {root}, which has no .pkl file; expected {LAYOUT}: prepare it"
    folders = example.relative_to(root).parts[:-1]
    if len(folders) == 3:
        return (
            f"the {name} split has no sequence: none of its {len(set(identities))} identities "
            f"({_some(identities)}) has a pickle in {root}, which holds {_some(on_disk)}; check "
            'config.data.partition (to test only, one with "TRAIN_SET": [])'
        )
    first = next((i for i, folder in enumerate(folders) if folder in identities), 0)
    if first:
        hint = f"set config.data.root to {root.joinpath(*folders[:first])}"
    elif root.name in identities:
        hint = f"set config.data.root to {root.parent}"
    else:
        hint = "add the missing level" if len(folders) < 3 else "take out the level too many"
    return (
        f"config.data.root is {root}, but {example} lies {len(folders)} folders below it; expected "
        f"3 ({LAYOUT}): {hint}"
    )


def _first_pickle(folder: Path, depth: int) -> Path | None:
    """Any pickle below a folder; looks into the first few folders of each level only."""
    for name in _names(folder, files=True):
        if name.endswith(".pkl"):
            return folder / name
    below = _names(folder, files=False)[:3] if depth else []
    found = (_first_pickle(folder / name, depth - 1) for name in below)
    return next((path for path in found if path), None)


def _some(names: Sequence[str]) -> str:
    """The first few names, for a message."""
    return ", ".join(names[:4]) + (", ..." if len(names) > 4 else "")
