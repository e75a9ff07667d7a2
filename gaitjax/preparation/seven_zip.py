"""7z archives as a stream, by py7zr, which pushes the members out; here they are pulled.

A thread unpacks and waits whenever `AHEAD` members have not been asked for. Only `sources` imports
this module, and only when it meets such an archive: py7zr is an extra.
"""

import contextlib
import io
import queue
import tempfile
import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, Any

import py7zr

from gaitjax import files
from gaitjax.errors import UserError

AHEAD = 4


class PasswordError(Exception):
    """The archive is encrypted, and the password is missing or wrong."""


class _StoppedError(Exception):
    """Nobody asks for the members any more."""


class _Member(py7zr.Py7zIO):
    """Where py7zr writes a member to; handed over when it is complete and its checksum is right."""

    def __init__(self, content: IO[bytes], scratch: Path, done: Callable[[], None]) -> None:
        self.content, self.scratch, self.done = content, scratch, done

    def write(self, s: bytes | bytearray) -> int:
        with files.writing(self.scratch):
            return self.content.write(s)

    def read(self, size: int | None = None) -> bytes:
        return self.content.read(-1 if size is None else size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.content.seek(offset, whence)

    def flush(self) -> None:
        self.content.flush()

    def size(self) -> int:
        return self.content.tell()

    def close(self) -> None:
        self.done()


class _Handover(py7zr.WriterFactory):
    """Makes a `_Member` of every member, and queues what is complete."""

    def __init__(self, scratch: Path, is_large: Callable[[str], bool]) -> None:
        self.scratch, self.is_large = scratch, is_large
        self.queue: queue.Queue[tuple[str, IO[bytes]] | Exception | None] = queue.Queue(AHEAD)
        self.stopped = threading.Event()

    def create(self, filename: str) -> py7zr.Py7zIO:
        if self.stopped.is_set():
            raise _StoppedError
        content: IO[bytes] = io.BytesIO()
        if self.is_large(filename):
            with files.writing(self.scratch):
                content = tempfile.TemporaryFile(dir=self.scratch, prefix=".")  # noqa: SIM115
        return _Member(content, self.scratch, lambda: self.queue.put((filename, content)))


class Archive:
    """An open archive.

    Attributes:
        file: of py7zr.
        encrypted: whether it took a password to open it.
    """

    def __init__(self, stream: IO[bytes], password: str | None) -> None:
        """Opens an archive.

        Raises:
            PasswordError: if it needs another password.
        """
        try:
            self.file = py7zr.SevenZipFile(stream)
            self.encrypted = "7zAES" in self.file.archiveinfo().method_names
        except py7zr.PasswordRequired:  # not even the names can be read
            self.encrypted = True
        if not self.encrypted:
            return
        if password is None:
            raise PasswordError("needs a password")
        stream.seek(0)
        try:
            self.file = py7zr.SevenZipFile(stream, password=password)
        except Exception as error:  # a wrong password makes a header of anything
            raise PasswordError("is not opened by the password given") from error

    def members(self) -> list[tuple[str, int, bool]]:
        """(name, size in bytes, whether it is a link) of all members but folders."""
        found = (m for m in self.file.list() if not m.is_directory)
        return [(m.filename, m.uncompressed, m.is_symlink) for m in found]

    def contents(
        self, names: Collection[str], scratch: Path, is_large: Callable[[str], bool]
    ) -> Iterator[tuple[str, IO[bytes]]]:
        """Unpacks members, in the order of the archive.

        Args:
            names: which.
            scratch: folder of the temporary files.
            is_large: of a name: whether its content goes to a temporary file instead of memory.

        Yields:
            name and content of a member; to be closed by the caller.

        Raises:
            PasswordError: if the password is wrong.
            UserError: if the scratch is full.
            Exception: of whatever kind, if the archive is broken.
        """
        handover = _Handover(scratch, is_large)
        thread = threading.Thread(target=self._unpack, args=(names, handover), daemon=True)
        thread.start()
        doubted = self.encrypted  # until the first member is whole
        try:
            while (item := handover.queue.get()) is not None:
                if isinstance(item, Exception) and doubted and not isinstance(item, UserError):
                    raise PasswordError("is not opened by the password given") from item
                if isinstance(item, Exception):
                    raise item
                yield item
                doubted = False
        finally:
            handover.stopped.set()
            while thread.is_alive():  # it may wait for room in the queue
                with contextlib.suppress(queue.Empty):
                    handover.queue.get(timeout=0.01)

    def _unpack(self, names: Collection[str], handover: _Handover) -> None:
        end: Any = None
        try:
            self.file.extract(targets=names, factory=handover)
        except py7zr.exceptions.CrcError as error:
            end = ValueError(f"{error.filename} has a wrong checksum")
        except Exception as error:  # raised by whoever asks for the members
            end = error
        handover.queue.put(end)
