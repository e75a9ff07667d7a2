"""Says what there is in a tree or a store: counts, what is missing, and what is broken."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

from gaitjax import datasets, progress
from gaitjax.ahead import ahead
from gaitjax.data import sequences
from gaitjax.data.sequences import Sequences
from gaitjax.datasets import Dataset
from gaitjax.errors import UserError, some
from gaitjax.preparation import report

THREADS = 8


@dataclasses.dataclass(frozen=True)
class Found:
    """What a look at a tree brings.

    Attributes:
        lines: what is there, and what is missing.
        broken: what cannot be trained on: files and why.
    """

    lines: list[str]
    broken: list[str]


def look(root: Path, name: str | None, partition: Path | None) -> Found:
    """Reads everything in a tree, or in the store that it was packed to.

    Args:
        root: of either.
        name: of the dataset; None: what `prepare.json` says, or else data of one's own.
        partition: as `config.data.partition`; None for the dataset's own split.

    Raises:
        UserError: if the root is missing, empty or of another layout; says on which level the
            pickles lie.
    """
    name = name or recorded(root)
    dataset = datasets.get(name)
    found = _everyone(root, dataset, partition)
    looked = ahead(lambda row: _look(found, row), range(len(found)), THREADS)
    seen = list(progress.bar(looked, len(found), "checking files"))
    modalities = [m for m in dataset.files if any(m in one.frames for one in seen)]
    lines = [f"{dataset.title} ({name}) in {root}: {_counts(found)}"]
    for modality in modalities:
        lines += _modality(found, modality, seen)
    lines += _uneven(found, seen)
    lines += report.count(root, dataset, partition, modalities).lines
    return Found(lines, [broken for one in seen for broken in one.broken])


@dataclasses.dataclass(frozen=True)
class _Sequence:
    """Of one sequence: modality -> frames, and what is broken."""

    frames: dict[str, int]
    broken: list[str]


def _look(found: Sequences, row: int) -> _Sequence:
    frames: dict[str, int] = {}
    broken: list[str] = []
    for modality in found.modalities:
        if not found.has(row, modality):
            continue  # it is said how many sequences lack it
        try:
            frames[modality] = len(found.source.check(found.rows[row], modality))
        except UserError as error:
            frames[modality] = 0
            broken.append(str(error))
    return _Sequence(frames, broken)


def _modality(found: Sequences, modality: str, seen: Sequence[_Sequence]) -> list[str]:
    """How much there is of a modality, and where it is missing."""
    frames = [one.frames[modality] for one in seen if modality in one.frames]
    lines = [f"{modality}: {len(frames)} pickles, {sum(frames)} frames"]
    missing = [found.folder(row) for row, one in enumerate(seen) if modality not in one.frames]
    if missing:
        lines.append(
            f"{len(missing)} sequences without one pickle of {modality}: {some(missing, '; ')}"
        )
    short = [
        found.folder(row)
        for row, one in enumerate(seen)
        if 0 < one.frames.get(modality, 0) < report.SHORT
    ]
    if short:
        lines.append(
            f"{len(short)} sequences with fewer than {report.SHORT} frames: {some(short, '; ')}"
        )
    return lines


def _uneven(found: Sequences, seen: Sequence[_Sequence]) -> list[str]:
    """Sequences whose modalities differ in length."""
    uneven = [
        f"{found.folder(row)} ({', '.join(f'{n} of {m}' for m, n in one.frames.items())})"
        for row, one in enumerate(seen)
        if len(set(one.frames.values()) - {0}) > 1
    ]
    if not uneven:
        return []
    return [f"{len(uneven)} sequences with modalities of different length: {some(uneven, '; ')}"]


def _counts(found: Sequences) -> str:
    columns = {
        "identities": found.identities,
        "types": found.types,
        "views": found.views,
    }
    counts = (f"{len(set(column.tolist()))} {what}" for what, column in columns.items())
    return f"{len(found)} sequences, {', '.join(counts)}"


def recorded(root: Path) -> str:
    """The name of the dataset that a tree was prepared as, else that of data of one's own."""
    try:
        name = json.loads((root / report.NAME).read_text("utf-8"))["dataset"]
    except (OSError, ValueError, LookupError, TypeError):
        return "folder"
    return str(name)


def _everyone(root: Path, dataset: Dataset, partition: Path | None) -> Sequences:
    """The sequences of a root, whatever its splits are."""
    try:
        everyone = dataclasses.replace(dataset, split=_all, generate=None)
        return sequences.open_splits(everyone, root, None).train
    except UserError:
        if dataset.split or partition:  # whoever knows the identities knows which level is wrong
            sequences.open_splits(dataset, root, partition)
        raise


def _all(identities: Sequence[str]) -> tuple[list[str], list[str]]:
    """A split of everybody."""
    return list(identities), []
