"""Preparation from the input to the report; goes on where an earlier run was interrupted."""

import contextlib
import dataclasses
import logging
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any

from gaitjax import datasets, files, progress
from gaitjax.datasets import Dataset, Raw
from gaitjax.errors import UserError
from gaitjax.preparation import finish, groups, report, sources, work
from gaitjax.preparation.groups import Event, Job
from gaitjax.preparation.journal import STAGED, Journal
from gaitjax.preparation.sources import Finished, Item, Problem

WAITING = 2**28  # bytes of the files that wait for a worker
TICKS = 1000  # of the progress bar
EXAMPLES = 3
log = logging.getLogger("gaitjax")


@dataclasses.dataclass(frozen=True)
class Options:
    """What is prepared, and how.

    Attributes:
        dataset: its name, as configs take it.
        source: folder or archive as distributed.
        output: root of the tree.
        partition: as `config.data.partition`; None for the dataset's own split.
        size: height of prepared silhouettes, pixels.
        strict: whether the first problem ends it.
        password: for archives that need one.
    """

    dataset: str
    source: Path
    output: Path
    partition: Path | None = None
    size: int = 64
    strict: bool = False
    password: str | None = None


def prepare(options: Options, executor: Executor, workers: int) -> list[str]:
    """Makes the tree and its report.

    Args:
        options: what to prepare.
        executor: runs `work.make`.
        workers: how many of those it runs at a time.

    Returns:
        the report in lines.

    Raises:
        UserError: if the input cannot be prepared, the output cannot be written, an archive needs
            another password (when all else is done), or, strictly, anything is left out.
    """
    dataset = _checked(options)
    settings = {"dataset": options.dataset, "size": options.size}
    with contextlib.closing(Journal(options.output, settings)) as journal:
        before = len(journal.pickles)
        run = _Run(options, dataset, journal)
        run.make(executor, workers)
        if not journal.pickles:
            journal.remove()
            raise UserError(run.why_nothing())
        if sum("(?P<frame>" in raw.pattern for raw in dataset.raw) > 1:
            finish.pair(journal)
        if dataset.arrange:
            finish.arrange(journal, dataset.arrange)
        if run.locked:
            raise UserError(f"not opened, while all else is prepared: {'; '.join(run.locked)}")
        found, lines = report.build(
            journal, options.dataset, dataset, options.size, options.partition
        )
        report.write(options.output, found)
        if options.strict and found["left out"]:
            raise UserError(f"an earlier run left out {found['left out'][0]['path']} and others")
        return [*run.said(before), *lines]


class _Run:
    """One run over the input.

    Attributes:
        unmatched: the first few paths that no pattern matches.
        surplus: how many they are.
        locked: archives that were not opened, and why.
    """

    def __init__(self, options: Options, dataset: Dataset, journal: Journal) -> None:
        self.options, self.dataset, self.journal = options, dataset, journal
        self.unmatched: list[str] = []
        self.surplus = 0
        self.locked: list[str] = []

    def make(self, executor: Executor, workers: int) -> None:
        """Makes the missing pickles, a bounded number at a time, in the order of the input."""
        waiting: deque[tuple[int, Event | Future[dict[str, Any]]]] = deque()
        for event in self._events():
            waiting.append(self._begin(event, executor))
            while waiting and (_full(waiting, workers) or _is_done(waiting[0][1])):
                self._settle(waiting.popleft()[1])
        while waiting:
            self._settle(waiting.popleft()[1])

    def said(self, before: int) -> list[str]:
        """What this run did, in lines."""
        made = len(self.journal.pickles) - before
        lines = [f"{made} pickles made, {before} were there"]
        if not made:
            lines = [f"nothing to do: all {before} pickles are there"]
        if self.surplus:
            examples = ", ".join(self.unmatched)
            lines.append(f"{self.surplus} files are none of the dataset's: {examples}")
        return lines

    def why_nothing(self) -> str:
        """Why there is no pickle at all."""
        problems = [*self.locked, *(f"{path} {why}" for path, why in sorted(self.journal.problems))]
        if problems:
            return f"--input {self.options.source} cannot be read: {problems[0]}"
        return _nothing_matched(self.options.source, self.dataset, self.unmatched)

    def _events(self) -> Iterator[Event]:
        options = self.options
        items = sources.walk(
            options.source, options.password, options.output, frozenset(self.journal.archives)
        )
        raws, start_of = self.dataset.raw, self.journal.start_of
        return groups.jobs(_watched(items), raws, start_of, self._count_unmatched)

    def _count_unmatched(self, path: str) -> None:
        self.surplus += 1
        if len(self.unmatched) < EXAMPLES:
            self.unmatched.append(path)

    def _begin(
        self, event: Event, executor: Executor
    ) -> tuple[int, Event | Future[dict[str, Any]]]:
        if not isinstance(event, Job):
            return 0, event
        folder = self.options.output / (STAGED if self.dataset.arrange else "")
        return event.size, executor.submit(work.make, event, folder, self.options.size)

    def _settle(self, event: Event | Future[dict[str, Any]]) -> None:
        """Writes to the journal what is done."""
        if isinstance(event, Finished):
            self.journal.add_archive(event.archive)
        elif isinstance(event, Problem):
            self._refuse(event.path, event.reason)
            if event.kind == "locked":
                self.locked.append(f"{event.path} {event.reason}")
            else:
                self.journal.add_problem(event.path, event.reason)
        elif isinstance(event, Future):
            line = _result(event)
            for path, reason in line["problems"].items():
                self._refuse(path, reason)
            self.journal.add_pickle(line)

    def _refuse(self, path: str, reason: str) -> None:
        if self.options.strict:
            raise UserError(f"{path}: {reason} (leave it out without --strict)")


def _full(waiting: Sequence[tuple[int, Any]], workers: int) -> bool:
    return len(waiting) > 4 * workers or sum(size for size, _ in waiting) > WAITING


def _is_done(event: Event | Future[dict[str, Any]]) -> bool:
    return not isinstance(event, Future) or event.done()


def _result(future: Future[dict[str, Any]]) -> dict[str, Any]:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise UserError(
            "a worker process was killed, perhaps for want of memory; run again, fewer --workers"
        ) from error


def _watched(items: Iterable[Item]) -> Iterator[Item]:
    """The items, beside a progress bar of how much of the input is read."""
    ticks, drawn = progress.bar(range(TICKS), TICKS, "preparing, per mille"), 0
    for item in items:
        while drawn < int(TICKS * item.done):
            next(ticks)
            drawn += 1
        yield item
    for _ in ticks:
        pass


def _checked(options: Options) -> Dataset:
    """The dataset, after everything that can be known to fail."""
    dataset = datasets.get(options.dataset)
    source, output = options.source, options.output
    if not dataset.raw:
        raise UserError(
            f"{dataset.title} says nothing of raw files (`raw` of gaitjax.datasets.Dataset); "
            "expected are pickles, to be trained on as they are"
        )
    if options.size < 2 or options.size % 2:
        raise UserError(f"--size is {options.size}; expected an even number of pixels")
    sources.check(source)
    if output.resolve().is_relative_to(source.resolve()):
        raise UserError(f"--output {output} lies in --input {source}; choose another folder")
    if output.exists() and not output.is_dir():
        raise UserError(f"--output {output} is a file; expected a folder")
    if options.partition and not options.partition.is_file():
        raise UserError(f"--partition {options.partition} is no file; expected a JSON")
    files.check_writable(output)
    return dataset


def _nothing_matched(source: Path, dataset: Dataset, paths: Sequence[str]) -> str:
    """Why an input gives nothing, and on which level it might."""
    patterns = ", ".join(dict.fromkeys(raw.pattern for raw in dataset.raw))
    found = ", ".join(paths) or "no files"
    return (
        f"--input {source} has nothing of {dataset.title}: it holds {found}; expected paths that "
        f"match {patterns}{_other_level(source, dataset.raw, paths)}"
    )


def _other_level(source: Path, raws: Sequence[Raw], paths: Sequence[str]) -> str:
    """Whether the paths would match from further above, or without one of their folders."""
    parents = source.resolve().parts[1:]
    for path in paths:
        for above in range(1, len(parents)):
            if groups.matching("/".join([*parents[-above:], path]), raws):
                return f"; give --input {Path('/', *parents[:-above])} instead"
        parts = path.split("/")
        for i, part in enumerate(parts[:-1]):
            if groups.matching("/".join(parts[:i] + parts[i + 1 :]), raws):
                return f"; the folder {part!r} is a level too many"
    return ""
