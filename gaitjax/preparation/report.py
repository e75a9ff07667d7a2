"""What preparation ends with: `ROOT/prepare.json`, and the lines that a person reads."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gaitjax import files
from gaitjax.data import sequences
from gaitjax.datasets import Dataset
from gaitjax.errors import UserError, some
from gaitjax.preparation.journal import Journal

NAME = "prepare.json"
SHORT = 5  # frames; fewer are said


@dataclasses.dataclass(frozen=True)
class Counted:
    """What there is of the splits.

    Attributes:
        lines: for a person, with the reason where something cannot be said.
        splits: name -> number of identities and sequences.
        fingerprints: modality -> 16 hexadecimal digits.
    """

    lines: list[str]
    splits: dict[str, dict[str, int]]
    fingerprints: dict[str, str]


@dataclasses.dataclass
class _Modality:
    pickles: int = 0
    frames: int = 0
    arrays: dict[str, int] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class _Tally:
    """Counts lines of a journal, sorted by sequence, without keeping them."""

    problems: list[tuple[str, str]]
    sequences: int = 0
    modalities: dict[str, _Modality] = dataclasses.field(default_factory=dict)
    without: list[str] = dataclasses.field(default_factory=list)
    short: list[str] = dataclasses.field(default_factory=list)
    unpaired: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    last: str = ""

    def add(self, line: Mapping[str, Any]) -> None:
        pickle = line.get("at", line["pickle"])
        self.problems += line["problems"].items()
        if "unpaired" in line:
            self.unpaired[pickle] = line["unpaired"]
        if not line["frames"]:
            self.without.append(pickle)
            return
        if line["frames"] < SHORT:
            self.short.append(pickle)
        folder = pickle.rpartition("/")[0]
        self.sequences += folder != self.last
        self.last = folder
        modality = self.modalities.setdefault(line["modality"], _Modality())
        modality.pickles += 1
        modality.frames += line["frames"]
        modality.arrays[line["array"]] = modality.arrays.get(line["array"], 0) + 1


def build(
    journal: Journal, name: str, dataset: Dataset, size: int, partition: Path | None
) -> tuple[dict[str, Any], list[str]]:
    """Everything there is to say of a prepared tree, the same however often it was interrupted.

    Args:
        journal: of the tree.
        name: of the dataset, as commands and configs take it.
        dataset: that of this name.
        size: height of prepared silhouettes, pixels.
        partition: as `config.data.partition`; None for the dataset's own split.

    Returns:
        what `prepare.json` holds, and lines for a person, of lists the first few.
    """
    tally = _Tally(problems=list(journal.problems))
    for pickle in sorted(journal.pickles):
        tally.add(journal.line(pickle))
    found = {
        "dataset": name,
        "size": size,
        "expected": dict(dataset.expected),
        "sequences": tally.sequences,
        "modalities": {m: dataclasses.asdict(n) for m, n in sorted(tally.modalities.items())},
        "without frames": sorted(tally.without),
        "short": sorted(tally.short),
        "unpaired": dict(sorted(tally.unpaired.items())),
        "left out": [{"path": p, "reason": reason} for p, reason in sorted(tally.problems)],
    }
    counted = count(journal.root, dataset, partition, sorted(tally.modalities))
    found |= {"splits": counted.splits, "fingerprints": counted.fingerprints}
    return found, _said(found) + counted.lines


def write(root: Path, report: Mapping[str, Any]) -> None:
    """Writes `prepare.json`.

    Raises:
        UserError: if it cannot be written.
    """
    files.replace(root / NAME, json.dumps(report, indent=1).encode() + b"\n")


def count(
    root: Path, dataset: Dataset, partition: Path | None, modalities: Sequence[str]
) -> Counted:
    """What is there of both splits, and the fingerprints that training would see."""
    try:
        found = sequences.open_splits(dataset, root, partition)
    except UserError as error:
        return Counted([f"no fingerprint: {error}"], {}, {})
    splits = {
        name: {
            "identities": len(set(split.identities.tolist())),
            "sequences": len(split),
        }
        for name, split in (("train", found.train), ("test", found.test))
    }
    lines, prints = list(found.lines), {}
    for modality in modalities:
        try:
            prints[modality] = sequences.fingerprint(found, [modality])
            lines.append(f"fingerprint of {modality}: {prints[modality]}")
        except UserError as error:
            lines.append(f"no fingerprint of {modality}: {error}")
    return Counted(lines, splits, prints)


def _said(report: Mapping[str, Any]) -> list[str]:
    published = report["expected"].get("sequences")
    beside = f" of {published} as published" if published else ""
    lines = [f"{report['sequences']} sequences{beside}"]
    lines += [
        f"{modality}: {found['pickles']} pickles, {found['frames']} frames of "
        + ", ".join(f"{array} ({n})" for array, n in found["arrays"].items())
        for modality, found in report["modalities"].items()
    ]
    for what, name in {
        "without a frame": "without frames",
        f"with fewer than {SHORT} frames": "short",
        "with frames that another modality lacks": "unpaired",
    }.items():
        if report[name]:
            lines.append(f"{len(report[name])} {what}: {some(list(report[name]), '; ')}")
    left_out = [f"{problem['path']}: {problem['reason']}" for problem in report["left out"]]
    if left_out:
        lines.append(f"{len(left_out)} left out, all named in {NAME}: {some(left_out, '; ')}")
    return lines
