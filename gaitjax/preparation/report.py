"""What preparation ends with: `ROOT/prepare.json`, and the lines that a person reads."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gaitjax import files
from gaitjax.data import sequences
from gaitjax.data.sequences import Splits
from gaitjax.datasets import Dataset
from gaitjax.errors import UserError
from gaitjax.preparation.journal import Journal

NAME = "prepare.json"
SHORT = 5  # frames; fewer are said
SHOWN = 5  # examples on the screen; all are in the file


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
) -> dict[str, Any]:
    """Everything there is to say of a prepared tree, the same however often it was interrupted.

    Args:
        journal: of the tree.
        name: of the dataset, as commands and configs take it.
        dataset: that of this name.
        size: height of prepared silhouettes, pixels.
        partition: as `config.data.partition`; None for the dataset's own split.
    """
    tally = _Tally(problems=list(journal.problems))
    for pickle in sorted(journal.pickles):
        tally.add(journal.line(pickle))
    found = {
        "dataset": name,
        "size": size,
        "sequences": tally.sequences,
        "modalities": {m: dataclasses.asdict(n) for m, n in sorted(tally.modalities.items())},
        "without frames": sorted(tally.without),
        "short": sorted(tally.short),
        "unpaired": dict(sorted(tally.unpaired.items())),
        "left out": [{"path": p, "reason": reason} for p, reason in sorted(tally.problems)],
    }
    return found | splits(journal.root, dataset, partition, sorted(tally.modalities))


def write(root: Path, report: Mapping[str, Any]) -> None:
    """Writes `prepare.json`.

    Raises:
        UserError: if it cannot be written.
    """
    files.replace(root / NAME, json.dumps(report, indent=1).encode() + b"\n")


def splits(
    root: Path, dataset: Dataset, partition: Path | None, modalities: Sequence[str]
) -> dict[str, Any]:
    """What is there of both splits, and the fingerprints that training would see.

    Returns:
        'counts': lines; 'splits': name -> counts; 'fingerprints': modality -> 16 hexadecimal
        digits, or the reason why there is none.
    """
    try:
        found = sequences.open_splits(dataset, root, partition)
    except UserError as error:
        return {"counts": [str(error)], "splits": {}, "fingerprints": {}}
    counts = {
        name: {
            "identities": len(set(split.identities.tolist())),
            "expected": dataset.expected.get(name),
            "sequences": len(split),
        }
        for name, split in (("train", found.train), ("test", found.test))
    }
    prints = {modality: _fingerprint(found, modality) for modality in modalities}
    return {"counts": found.lines, "splits": counts, "fingerprints": prints}


def said(report: Mapping[str, Any]) -> list[str]:
    """The report in lines, of lists the first few."""
    lines = [
        f"{modality}: {found['pickles']} pickles, {found['frames']} frames of "
        + ", ".join(f"{array} ({n})" for array, n in found["arrays"].items())
        for modality, found in report["modalities"].items()
    ]
    lines += report["counts"]
    for what, name in {
        "without a frame": "without frames",
        f"with fewer than {SHORT} frames": "short",
        "with frames that another modality lacks": "unpaired",
    }.items():
        if report[name]:
            lines.append(f"{len(report[name])} {what}: {some(list(report[name]))}")
    left_out = [f"{problem['path']}: {problem['reason']}" for problem in report["left out"]]
    if left_out:
        lines.append(f"{len(left_out)} left out, all named in {NAME}: {some(left_out)}")
    lines += [f"fingerprint of {m}: {digits}" for m, digits in report["fingerprints"].items()]
    return lines


def _fingerprint(found: Splits, modality: str) -> str:
    try:
        return sequences.fingerprint(found, [modality])
    except UserError as error:
        return str(error)


def some(texts: Sequence[str]) -> str:
    """The first few of a list."""
    return "; ".join(texts[:SHOWN]) + ("; ..." if len(texts) > SHOWN else "")
