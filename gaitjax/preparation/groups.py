"""From single files to jobs: all files that become one pickle."""

import dataclasses
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gaitjax.datasets import Raw
from gaitjax.errors import UserError
from gaitjax.preparation.sources import File, Finished, Item, Problem

LARGEST = 2**30  # bytes of the files of one pickle
LONGEST = 200  # bytes of a name of a file or folder
FORBIDDEN = re.compile(r"[/\\\0]")


class Piece(NamedTuple):
    """A file of a job.

    Attributes:
        path: below the input.
        frame: which frame of the sequence it is; the path itself where the pattern does not tell.
        content: the bytes, or where they lie.
        beside: where the file lies that `read` gets too, if there is one.
    """

    path: str
    frame: str
    content: bytes | Path
    beside: Path | None


@dataclasses.dataclass
class Job:
    """A pickle that is to be made.

    Attributes:
        pickle: its path below the root.
        modality: what it holds.
        start: the path of its first file in the input, which tells it from a second one.
        read: of the dataset's `Raw`, as is `join`.
        join: of the dataset's `Raw`.
        framed: whether each file is one frame that has a name.
        pieces: what it is made from, in the order of the input.
        problems: path -> why it is left out.
        size: bytes that the pieces hold.
    """

    pickle: str
    modality: str
    start: str
    read: Callable[..., np.ndarray]
    join: Callable[[Sequence[np.ndarray]], np.ndarray]
    framed: bool
    pieces: list[Piece] = dataclasses.field(default_factory=list)
    problems: dict[str, str] = dataclasses.field(default_factory=dict)
    size: int = 0

    def add(self, file: File, frame: str, beside: str) -> None:
        """Takes a file in, or the reason why it cannot be read."""
        try:
            content = file.content if isinstance(file.content, Path) else file.content()
            if isinstance(content, bytes):
                self.size += len(content)
                if self.size > LARGEST:
                    raise UserError(f"its sequence has more than {LARGEST} bytes")
            other = _beside(content, file.path, beside)
            self.pieces.append(Piece(file.path, frame, content, other))
        except UserError as error:
            self.problems[file.path] = str(error)


def _beside(content: bytes | Path, path: str, beside: str) -> Path | None:
    """Where another file of the input lies, if it is on the disk as this one is."""
    if not beside or isinstance(content, bytes):
        return None
    other = Path(str(content).removesuffix(path), beside)
    return other if other.is_file() else None


Event = Job | Problem | Finished


class _Match(NamedTuple):
    """What a file is of."""

    raw: Raw
    sequence: str
    pickle: str
    frame: str
    beside: str


def jobs(
    items: Iterable[Item],
    raws: Sequence[Raw],
    start_of: Callable[[str], str | None],
    unmatched: Callable[[str], None],
) -> Iterator[Event]:
    """Collects files that follow one another; a sequence ends where another one begins.

    Args:
        items: of the input.
        raws: of the dataset; of those of one modality the first that matches a file counts.
        start_of: of a pickle that is made already, the path of its first file, else None.
        unmatched: is told the paths that no pattern matches.

    Yields:
        jobs and what else there is to know, in an order that the input alone decides.
    """
    collector = _Collector(start_of)
    for item in items:
        if isinstance(item, File):
            try:
                matches = _matches(item.path, raws)
            except UserError as error:
                yield Problem(item.path, str(error))
                continue
            if not matches:
                unmatched(item.path)
            for match in matches:
                yield from collector.add(item, match)
        else:
            if isinstance(item, Finished):
                yield from collector.close()
            elif item.kind != "file":
                yield from collector.drop()
            yield item
    yield from collector.close()


def matching(path: str, raws: Iterable[Raw]) -> bool:
    """Whether a path is one of a dataset's."""
    return any(re.search(raw.pattern, path) for raw in raws)


class _Collector:
    """The jobs of the sequence that is being read."""

    def __init__(self, start_of: Callable[[str], str | None]) -> None:
        self.start_of = start_of
        self.sequence = ""
        self.jobs: dict[str, Job | None] = {}  # None: made already, or left out
        self.met: set[str] = set()

    def add(self, file: File, match: _Match) -> Iterator[Event]:
        if match.sequence != self.sequence:
            yield from self.close()
            self.sequence = match.sequence
        if match.pickle not in self.jobs:
            start = self.start_of(match.pickle)
            if match.pickle in self.met or start not in (None, file.path):
                yield Problem(
                    file.path,
                    f"begins {match.pickle} anew, of which other files came before; only the first "
                    "that lie together are read: unpack the archive where all belong together",
                )
                start = file.path
            self.met.add(match.pickle)
            self.jobs[match.pickle] = _job(file.path, match) if start is None else None
        job = self.jobs[match.pickle]
        if job:
            job.add(file, match.frame, match.beside)

    def close(self) -> Iterator[Job]:
        yield from (job for job in self.jobs.values() if job)
        self.jobs.clear()
        self.sequence = ""

    def drop(self) -> Iterator[Problem]:
        """What was being read when an archive broke off is not what its authors made."""
        for job in self.jobs.values():
            if job:
                yield Problem(job.start, f"{job.pickle} is left out: its archive breaks off within")
        self.jobs.clear()
        self.sequence = ""


def _job(start: str, match: _Match) -> Job:
    framed = "frame" in re.compile(match.raw.pattern).groupindex
    return Job(match.pickle, match.raw.modality, start, match.raw.read, match.raw.join, framed)


def _matches(path: str, raws: Iterable[Raw]) -> list[_Match]:
    """What a file is of, one match a modality at most.

    Raises:
        UserError: if it makes a name that no folder may have.
    """
    found: dict[str, _Match] = {}
    for raw in raws:
        hit = None if raw.modality in found else re.search(raw.pattern, path)
        if hit:
            groups = {name: value or "" for name, value in hit.groupdict().items()}
            templates = {"identity": raw.identity, "type": raw.type, "view": raw.view}
            names = {name: template.format(**groups) for name, template in templates.items()}
            pickle = raw.pickle.format(**(groups | names))
            for name in (*names.values(), pickle):
                _check_name(name)
            sequence = "/".join(names.values())
            frame = groups.get("frame", path)
            beside = raw.beside.format(**(groups | names))
            found[raw.modality] = _Match(raw, sequence, f"{sequence}/{pickle}", frame, beside)
    return list(found.values())


def _check_name(name: str) -> None:
    if not name or name.startswith(".") or FORBIDDEN.search(name):
        raise UserError(f"makes {name!r}, which is no name for a file or folder")
    if len(os.fsencode(name)) > LONGEST:
        raise UserError(f"makes a name of more than {LONGEST} bytes")
