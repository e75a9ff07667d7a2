"""What needs all pickles of a sequence or of an identity: pairs of frames, and names."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from gaitjax import files, pickles
from gaitjax.datasets import Name
from gaitjax.errors import UserError
from gaitjax.preparation import work
from gaitjax.preparation.journal import STAGED, Journal


def pair(journal: Journal) -> None:
    """Leaves out the frames of a sequence that not all of its modalities have.

    Only modalities that are there at all count, and of those the ones whose files are single frames
    with a name. A killed run goes on here: a pickle is trimmed if it is still as long as before.

    Raises:
        UserError: if a pickle cannot be written.
    """
    for _, group in _by_folder(journal, depth=3):
        lines = [line for line in map(journal.line, group) if line["names"]]
        common = set.intersection(*(set(line["names"]) for line in lines)) if lines else set()
        for line in lines:
            kept = [name for name in line["names"] if name in common]
            if len(kept) < len(line["names"]):
                _trim(journal.place(line), line["names"], kept)
                lost = sorted(set(line["names"]) - common)
                unpaired = sorted([*line.get("unpaired", []), *lost])
                changed = {"frames": len(kept), "names": kept, "unpaired": unpaired}
                journal.add_pickle(line | changed)


def arrange(journal: Journal, arranged: Callable[[Sequence[Name]], Sequence[Name]]) -> None:
    """Moves staged pickles to the names that follow from all sequences of an identity.

    Args:
        journal: is told the place of a pickle before it is moved there.
        arranged: of `datasets.Dataset`.

    Raises:
        UserError: if files that came in after an earlier run change the names that it gave.
    """
    for _, group in _by_folder(journal, depth=1):
        sequences = {pickle: Name(*pickle.split("/")[:3]) for pickle in group}
        names = sorted(set(sequences.values()))
        places = dict(zip(names, arranged(names), strict=True))
        assert len(set(places.values())) == len(names), "arrange gives two sequences one name"
        for pickle, name in sequences.items():
            at = "/".join([*places[name], pickle.rpartition("/")[2]])
            _move(journal, journal.line(pickle), at)
    _remove_empty(journal.root / STAGED)


def _by_folder(journal: Journal, depth: int) -> Iterator[tuple[list[str], list[str]]]:
    """The pickles that share the first folders of their names."""
    pickles_ = sorted(journal.pickles, key=lambda pickle: pickle.split("/"))
    for folders, group in itertools.groupby(pickles_, lambda pickle: pickle.split("/")[:depth]):
        yield folders, list(group)


def _trim(path: Path, names: list[str], kept: list[str]) -> None:
    """Keeps some of the frames, unless an earlier run did."""
    work.clean(path)
    if not kept:
        path.unlink(missing_ok=True)
        return
    frames = pickles.read(path)
    if len(frames) == len(names):
        wanted = set(kept)
        pickles.write(path, frames[[name in wanted for name in names]])


def _move(journal: Journal, line: dict[str, Any], at: str) -> None:
    if line.setdefault("at", at) != at:
        raise UserError(
            f"{line['at']} would be {at} now, since files came in; prepare into a new folder"
        )
    if journal.line(line["pickle"]) != line:
        journal.add_pickle(line)
    staged, target = journal.root / STAGED / line["pickle"], journal.root / at
    with files.writing(target):
        if staged.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            staged.rename(target)


def _remove_empty(folder: Path) -> None:
    """Removes a tree of folders without files."""
    for below in sorted(folder.glob("**/"), reverse=True):
        if not any(below.iterdir()):
            below.rmdir()
