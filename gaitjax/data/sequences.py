"""The sequences of a dataset on disk, as a tree of pickles or packed, and their two splits."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeGuard

import numpy as np

from gaitjax import progress
from gaitjax.ahead import ahead
from gaitjax.data.columns import Names
from gaitjax.data.store import Store, is_store, open_store
from gaitjax.data.tree import LAYOUT, Tree, list_names, open_tree
from gaitjax.datasets import Dataset, class_of
from gaitjax.errors import UserError, some

CHUNK = 65_536  # sequences whose names and sizes are hashed at a time


class Source(Protocol):
    """Where sequences are read from: a `tree.Tree` or a `store.Store`."""

    names: Names

    @property
    def modalities(self) -> list[str]:
        """What some of the sequences may have."""

    def has(self, row: int, modality: str) -> bool:
        """Whether a sequence has a modality, be it broken."""

    def folder(self, row: int) -> str:
        """Where a sequence lies, for messages."""

    def read(self, row: int, modality: str) -> np.ndarray:
        """The frames of one modality, [T, ...]; perhaps read-only, and read when they are used."""

    def check(self, row: int, modality: str) -> np.ndarray:
        """As `read`, and raises a UserError if anything in them is broken."""

    def sizes(self, rows: np.ndarray, modality: str) -> np.ndarray:
        """Int64 [rows], the bytes of their pickles; raises a UserError where there is none."""


@dataclasses.dataclass(frozen=True, eq=False)
class Sequences:
    """N sequences of a source. A million take 8 MB, beside the source.

    Attributes:
        source: what they are read from.
        rows: int64 [N], which of the source's they are.
        classes: label -> pattern of types -> class, as `labels` of `datasets.Dataset`.
    """

    source: Source
    rows: np.ndarray
    classes: Mapping[str, Mapping[str, int]] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def identities(self) -> np.ndarray:
        """The names of the persons, str [N]; made anew each time, as are `types` and `views`."""
        return self._column(0)

    @property
    def types(self) -> np.ndarray:
        """The conditions and their numbers, such as 'nm-01', str [N]."""
        return self._column(1)

    @property
    def views(self) -> np.ndarray:
        """The viewpoints, str [N]."""
        return self._column(2)

    def _column(self, field: int) -> np.ndarray:
        used, codes = self._codes(field)
        column: np.ndarray = np.array(used, str)[codes]
        return column

    def _codes(self, field: int) -> tuple[list[str], np.ndarray]:
        """The distinct names of a field, sorted, and which of them each sequence has."""
        names = self.source.names
        used, codes = np.unique(names.codes[field, self.rows], return_inverse=True)
        return [names.distinct[field][code] for code in used.tolist()], codes

    def select(self, rows: np.ndarray) -> "Sequences":
        """The sequences of these rows, int or bool, in their order."""
        return dataclasses.replace(self, rows=self.rows[rows])

    @property
    def modalities(self) -> list[str]:
        """What some of the sequences may have."""
        return self.source.modalities

    def has(self, row: int, modality: str) -> bool:
        """Whether a sequence has a modality, be it broken."""
        return self.source.has(self.rows[row], modality)

    def folder(self, row: int) -> str:
        """Where a sequence lies, for messages."""
        return self.source.folder(self.rows[row])

    def labels(self) -> tuple[np.ndarray, list[str]]:
        """The identities as numbers.

        Returns:
            int32 [N], and the names that the numbers index, sorted as strings.
        """
        names, labels = self._codes(0)
        return labels.astype(np.int32), names

    def all_labels(self) -> dict[str, np.ndarray]:
        """The identities as numbers, and the classes of every further label.

        Returns:
            label -> int32 [N]; 'identity' is among them.

        Raises:
            UserError: if a type has no class; names the first folder.
        """
        types, codes = self._codes(1)
        further = {}
        for label in self.classes:
            found = np.array([class_of(self.classes[label], t) for t in types], np.int32)[codes]
            if (found < 0).any():
                row = int(np.argmax(found < 0))
                raise UserError(
                    f"{self.folder(row)} is of type {types[codes[row]]!r}, which has no {label}; "
                    f"expected {', '.join(self.classes[label])}: rename or remove the folder"
                )
            further[label] = found
        return {"identity": self.labels()[0], **further}

    def read(self, row: int, modality: str) -> np.ndarray:
        """The frames of one modality of one sequence.

        Returns:
            [T, ...], T at least 1; floats are float32. Those of a store are read-only, and read
            from the disk when they are used: choose first, then compute.

        Raises:
            UserError: if the sequence does not have them, or they are broken or something else.
        """
        return self.source.read(self.rows[row], modality)

    def frames(self, row: int, modalities: Sequence[str]) -> dict[str, np.ndarray]:
        """The frames of several modalities of one sequence, each as `read` gives them.

        Returns:
            modality -> [T, ...], the same T for all.

        Raises:
            UserError: as `read` does, or if the modalities differ in length.
        """
        return self._alike(row, {m: self.read(row, m) for m in modalities})

    def check(self, row: int, modalities: Sequence[str]) -> None:
        """Reads a sequence whole.

        Raises:
            UserError: as `frames` does; of a store also if a byte has changed.
        """
        self._alike(row, {m: self.source.check(self.rows[row], m) for m in modalities})

    def _alike(self, row: int, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        lengths = {modality: len(array) for modality, array in arrays.items()}
        if len(set(lengths.values())) > 1:
            raise UserError(
                f"{self.folder(row)} has "
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
        lists: what else the partition JSON lists, such as PROBE_SET: key -> names.
    """

    train: Sequences
    test: Sequences
    lines: list[str]
    lists: Mapping[str, list[str]] = dataclasses.field(default_factory=dict)


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
    source = open_store(root) if is_store(root) else open_tree(root, dataset.files)
    listed, lists = _listed(dataset, root, partition, source.identities)
    lines: list[str] = []
    splits: list[Sequences] = []
    for name, identities in zip(("train", "test"), map(set, listed), strict=True):
        of_split = np.array([i in identities for i in source.names.distinct[0]], bool)
        rows = np.flatnonzero(of_split[source.names.codes[0]])
        sequences = Sequences(source, rows, dataset.labels)
        if identities and not len(sequences):
            raise UserError(_why_empty(root, name, identities, source))
        splits.append(sequences)
        without = [x for x in source.without if x.partition("/")[0] in identities]
        lines += _report(dataset, name, identities, sequences, without)
    unlisted = sorted(set(source.identities) - set(listed[0]) - set(listed[1]))
    if unlisted:
        lines.append(f"in neither split: {len(unlisted)} folders: {some(unlisted)}")
    if isinstance(source, Store) and source.left_out:
        broken = "; ".join(": ".join(each) for each in source.left_out[:4])
        lines.append(f"left out when packed: {len(source.left_out)} broken sequences: {broken}")
    return Splits(splits[0], splits[1], lines, lists)


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
            sequences.check(row, modalities)
        except UserError as error:
            return str(error)
        return ""

    causes = ahead(cause, range(len(sequences)), threads)
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
        UserError: if a sequence lacks a file.
    """
    digest = hashlib.sha256()
    for name, split in (("train", splits.train), ("test", splits.test)):
        for start in range(0, len(split), CHUNK):
            part = split.select(np.arange(start, min(start + CHUNK, len(split))))
            names = [column.tolist() for column in (part.identities, part.types, part.views)]
            sizes = [part.source.sizes(part.rows, m).astype(str).tolist() for m in modalities]
            rows = zip(*names, *sizes, strict=True)
            text = "".join("\0".join((name, *row, "")) for row in rows)
            digest.update(text.encode(errors="surrogateescape"))
    return digest.hexdigest()[:16]


def _listed(
    dataset: Dataset, root: Path, partition: Path | None, on_disk: list[str]
) -> tuple[tuple[list[str], list[str]], dict[str, list[str]]]:
    """The identities that the two splits should have, and what else the partition lists."""
    if partition is None and dataset.split is None and (root / "partition.json").exists():
        partition = root / "partition.json"
    if partition is not None:
        return _partition(partition)
    if dataset.split is None:
        raise UserError(
            f"{dataset.title} has no built-in split; set config.data.partition to a JSON file with "
            f"the lists TRAIN_SET and TEST_SET, or put it into {root} as partition.json: "
            f"{dataset.partition}"
        )
    return dataset.split(on_disk), {}


def _partition(path: Path) -> tuple[tuple[list[str], list[str]], dict[str, list[str]]]:
    """TRAIN_SET and TEST_SET of a partition JSON, and its other lists of names."""
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
        if not _are_names(names):
            raise UserError(
                f"config.data.partition: {path} has no list of names {key}; expected "
                '{"TRAIN_SET": ["001", ...], "TEST_SET": [...]}'
            )
        sets.append(names)
    both = sorted(set(sets[0]) & set(sets[1]))
    if both:
        raise UserError(
            f"config.data.partition: {path} has {len(both)} identities in both TRAIN_SET and "
            f"TEST_SET ({some(both)}); take them out of one"
        )
    others = {k: v for k, v in content.items() if k not in ("TRAIN_SET", "TEST_SET")}
    return (sets[0], sets[1]), {k: v for k, v in others.items() if _are_names(v)}


def _are_names(value: object) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


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
        lines.append(f"{name}: {len(missing)} identities are missing: {some(missing)}")
    if without:
        lines.append(f"{name}: {len(without)} folders have no pickle, left out: {some(without)}")
    return lines


def _why_empty(root: Path, name: str, identities: set[str], source: Tree | Store) -> str:
    """What is wrong with data in which a split has no sequence, and what to do."""
    if len(source.names):
        return (
            f"the {name} split has no sequence: none of its {len(identities)} identities "
            f"({some(sorted(identities))}) has one in {root}, which holds "
            f"{some(source.identities)}; check config.data.partition (to test only, one with "
            '"TRAIN_SET": [])'
        )
    example = _first_pickle(root, 6)
    if example is None:
        return f"config.data.root is {root}, which has no .pkl file; expected {LAYOUT}: prepare it"
    folders = example.relative_to(root).parts[:-1]
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
    for name in list_names(folder, files=True):
        if name.endswith(".pkl"):
            return folder / name
    below = list_names(folder, files=False)[:3] if depth else []
    found = (_first_pickle(folder / name, depth - 1) for name in below)
    return next((path for path in found if path), None)
