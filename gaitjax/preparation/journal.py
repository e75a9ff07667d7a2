"""What is done already, in `ROOT/.prepare.jsonl`: a line for each pickle, archive and problem.

Lines are only ever added, in the order of the input; of a pickle the last one counts. What a kill
cuts off is not a line. So a run that goes on adds the lines that an unbroken one would.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from gaitjax import files
from gaitjax.errors import UserError

NAME = ".prepare.jsonl"
STAGED = ".staged"  # folder of pickles whose names are not arranged yet


class Journal:
    """The open journal of a root; it belongs to one process at a time.

    Attributes:
        root: of the prepared tree.
        pickles: path of a pickle -> where its line begins in the file, bytes.
        problems: (path in the input, why it was left out); those of pickles are in their lines.
        archives: (path, bytes, time of change) of those that were read to their end.
    """

    def __init__(self, root: Path, settings: dict[str, Any]) -> None:
        """Opens a journal, or begins one in a folder that is empty or missing.

        Args:
            root: of the prepared tree.
            settings: what a pickle depends on beside its files.

        Raises:
            UserError: if the folder holds anything else, was prepared with other settings, is
                being prepared by another process, or cannot be written to.
        """
        self.root = root
        self.pickles: dict[str, int] = {}
        self.problems: set[tuple[str, str]] = set()
        self.archives: set[tuple[str, int, int]] = set()
        with files.writing(root):
            root.mkdir(parents=True, exist_ok=True)
            if not (root / NAME).exists() and any(root.iterdir()):
                raise UserError(
                    f"--output {root} holds something that gaitjax.prepare did not make; give a "
                    "new folder"
                )
            self._file = (root / NAME).open("ab", buffering=0)
            self._reader = (root / NAME).open("rb")
        self._lock()
        self._load(settings)

    def close(self) -> None:
        """Lets another process have it."""
        self._file.close()
        self._reader.close()

    def remove(self) -> None:
        """Leaves no trace, where nothing was made."""
        (self.root / NAME).unlink()
        with contextlib.suppress(OSError):  # other files may be there
            self.root.rmdir()

    def line(self, pickle: str) -> dict[str, Any]:
        """What is known of a pickle: see `work.make`; 'unpaired' and 'at' are told by `finish`."""
        self._reader.seek(self.pickles[pickle])
        line: dict[str, Any] = json.loads(self._reader.readline())
        return line

    def start_of(self, pickle: str) -> str | None:
        """The path of the first file of a pickle that is made, else None."""
        return str(self.line(pickle)["start"]) if pickle in self.pickles else None

    def add_pickle(self, line: dict[str, Any]) -> None:
        """Remembers a pickle that is on the disk, or that nothing is left of.

        Raises:
            UserError: if the disk is full, as do the others.
        """
        self.pickles[line["pickle"]] = self._append(line)

    def add_problem(self, path: str, reason: str) -> None:
        """Remembers what was left out, once."""
        if (path, reason) not in self.problems:
            self.problems.add((path, reason))
            self._append({"problem": path, "reason": reason})

    def add_archive(self, archive: tuple[str, int, int]) -> None:
        """Remembers that all jobs of an archive are done."""
        self.archives.add(archive)
        self._append({"archive": archive})

    def place(self, line: dict[str, Any]) -> Path:
        """Where the pickle of a line is, or would be."""
        at: Path = self.root / line.get("at", line["pickle"])
        staged = self.root / STAGED / line["pickle"]
        return staged if staged.exists() else at

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"--output {self.root} is being prepared by another process") from error

    def _append(self, line: dict[str, Any]) -> int:
        """Writes a line; returns where it begins."""
        rest = memoryview(json.dumps(line).encode() + b"\n")
        begin = self._file.seek(0, os.SEEK_END)
        with files.writing(self.root / NAME):
            while rest:
                rest = rest[self._file.write(rest) :]
        return begin

    def _load(self, settings: dict[str, Any]) -> None:
        size = 0
        for begin, content in self._lines():
            line = json.loads(content)
            if begin == 0 and line != settings:
                raise UserError(
                    f"--output {self.root} was prepared with {_said(line)}, not with "
                    f"{_said(settings)}; give a new folder"
                )
            if "pickle" in line:
                self.pickles[line["pickle"]] = begin
            elif "problem" in line:
                self.problems.add((line["problem"], line["reason"]))
            elif "archive" in line:
                self.archives.add(tuple(line["archive"]))
            size = begin + len(content)
        self._file.truncate(size)  # the rest was cut off by a kill
        if size == 0:
            self._append(settings)
        self._forget_missing()

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        begin = 0
        for content in self._reader:
            if content.endswith(b"\n"):
                yield begin, content
            begin += len(content)

    def _forget_missing(self) -> None:
        """Pickles that were removed are made again, from whichever archive they come."""
        missing = []
        for pickle in self.pickles:
            line = self.line(pickle)
            if line["frames"] and not self.place(line).exists():
                missing.append(pickle)
        for pickle in missing:
            del self.pickles[pickle]
        if missing:
            self.archives.clear()


def _said(settings: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in settings.items())
