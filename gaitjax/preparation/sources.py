"""The files of a folder or an archive, one after another, as (path, content).

Archives are read as streams and never unpacked: zip by its table of contents in the order of the
names, tar (plain, gz, xz, bz2) from the front to the back, 7z likewise. An archive counts as a
folder that is named as the file without its ending, be it on the disk or within another archive.
What needs random access within another archive goes through a nameless temporary file, which is
gone when it is closed, even by a kill.

Archives are hostile: no path of theirs is ever written to, links are not followed, and sizes are
limited by what is read rather than by what a header says.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

from gaitjax import files
from gaitjax.errors import UserError

ENDINGS = (".tar.gz", ".tar.xz", ".tar.bz2", ".tgz", ".tar", ".zip", ".7z")
LARGEST = 2**28  # bytes of a file
LARGEST_HEADER = 2**20  # bytes of a name in a tar
DEEPEST = 4  # archives within archives; one may hold itself
UNPACKERS: dict[bytes, Callable[[Any], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"\xfd7zXZ": lzma.LZMAFile,
    b"BZh": bz2.BZ2File,
}
AES = 99  # a zip's compression method that stands for encryption
PASSWORD = "give --password_file FILE, or set GAITJAX_PASSWORD"  # noqa: S105


class File(NamedTuple):
    """A file of the input.

    Attributes:
        path: below the input, '/' between the folders.
        content: where it lies, or what reads it; to be called before the next file is asked for,
            raises a UserError that says why it cannot be read.
        done: how much of the input came before it, 0 to 1.
    """

    path: str
    content: Path | Callable[[], bytes]
    done: float = 0.0


class Problem(NamedTuple):
    """What is left out, and why.

    Attributes:
        path: of a file or archive below the input.
        reason: for the report.
        kind: 'file': one file is left out; 'broken off': so is the rest of an archive; 'locked':
            an archive that another password, or another tool, would open.
        done: as in `File`.
    """

    path: str
    reason: str
    kind: Literal["file", "broken off", "locked"] = "file"
    done: float = 0.0


class Finished(NamedTuple):
    """An archive on the disk was read to its end.

    Attributes:
        archive: its path below the input, size in bytes and time of change in ns.
        done: as in `File`.
    """

    archive: tuple[str, int, int]
    done: float = 0.0


Item = File | Problem | Finished


class _LockedError(Exception):
    """An archive cannot be opened without another password or tool."""


class _Header(tarfile.TarInfo):
    """A header of a tar, which is either sound or an error: tarfile takes a broken one for the end.

    A header may also ask for any number of bytes for a name, which tarfile would read.
    """

    @classmethod
    def fromtarfile(cls, tarfile_: tarfile.TarFile) -> "_Header":
        try:
            return super().fromtarfile(tarfile_)
        except tarfile.EOFHeaderError:  # type: ignore[attr-defined]  # the regular end
            raise
        except tarfile.HeaderError as error:
            raise tarfile.ReadError(f"{error}: cut off?") from error

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Header":
        header = super().frombuf(buf, encoding, errors)
        if not (header.isfile() or header.isdir()) and header.size > LARGEST_HEADER:
            raise tarfile.ReadError(f"a header of {header.size} bytes")
        return header


class _Archives(NamedTuple):
    """What it takes to open archives.

    Attributes:
        password: for those that need one.
        scratch: folder of temporary files.
        depth: how many archives this one lies in.
    """

    password: str | None
    scratch: Path
    depth: int = 0

    def below(self) -> "_Archives":
        if self.depth == DEEPEST:
            raise ValueError(f"archives are nested more than {DEEPEST} deep")
        return self._replace(depth=self.depth + 1)


def check(source: Path) -> None:
    """Refuses what `walk` does not read.

    Raises:
        UserError: if the source is neither a folder nor an archive.
    """
    if not (source.is_dir() or (source.is_file() and is_archive(source.name))):
        what = "is no archive" if source.exists() else "does not exist"
        raise UserError(f"--input {source} {what}; expected a folder, or {', '.join(ENDINGS)}")


def walk(
    source: Path, password: str | None, scratch: Path, finished: Collection[tuple[str, int, int]]
) -> Iterator[Item]:
    """All files of a folder or an archive; folders and zips in the order of their names.

    Hidden files, whose names begin with a dot, do not count.

    Args:
        source: the folder, or the archive.
        password: for archives that need one.
        scratch: a folder on a disk with room for the largest archive within an archive.
        finished: archives to leave out, as earlier calls told in `Finished`.

    Raises:
        UserError: if the scratch is full.
    """
    archives = _Archives(password, scratch)
    if source.is_dir():
        yield from _folder(source, "", archives, finished)
    else:
        yield from _on_disk(source, source.name, archives, finished)


def is_archive(name: str) -> bool:
    """Whether a file is an archive, by its ending."""
    return name.lower().endswith(ENDINGS)


def _stem(path: str) -> str:
    """The path of an archive as a folder: without its ending."""
    ending = next(ending for ending in ENDINGS if path.lower().endswith(ending))
    return path[: -len(ending)]


def _folder(
    folder: Path, prefix: str, archives: _Archives, finished: Collection[tuple[str, int, int]]
) -> Iterator[Item]:
    try:
        with os.scandir(folder) as found:
            entries = sorted((e for e in found if not e.name.startswith(".")), key=_name)
    except OSError as error:
        yield Problem(prefix or ".", f"cannot be read: {error.strerror}")
        return
    for i, entry in enumerate(entries):
        for item in _entry(entry, prefix + entry.name, archives, finished):
            yield item._replace(done=(i + item.done) / len(entries))


def _name(entry: os.DirEntry[str]) -> str:
    return entry.name


def _entry(
    entry: os.DirEntry[str],
    path: str,
    archives: _Archives,
    finished: Collection[tuple[str, int, int]],
) -> Iterator[Item]:
    """What one name in a folder stands for; links of the user's own are followed, but not back."""
    place = Path(entry.path)
    if entry.is_dir():
        if entry.is_symlink() and place.parent.resolve().is_relative_to(place.resolve()):
            yield Problem(path, "is a link to a folder that it lies in")
        else:
            yield from _folder(place, f"{path}/", archives, finished)
    elif not entry.is_file():
        yield Problem(path, "is a link that leads nowhere, or no file")
    elif is_archive(entry.name):
        yield from _on_disk(place, path, archives, finished)
    else:
        yield File(path, place)


def _on_disk(
    file: Path, path: str, archives: _Archives, finished: Collection[tuple[str, int, int]]
) -> Iterator[Item]:
    """An archive that is a file; `Finished` is the last item of a sound one."""
    stat = file.stat()
    archive = (path, stat.st_size, stat.st_mtime_ns)
    if archive in finished:
        return
    sound = True
    try:
        with file.open("rb") as stream:
            for item in _archive(path, stream, stat.st_size, archives):
                sound = sound and not (isinstance(item, Problem) and item.kind != "file")
                yield item
    except OSError as error:
        yield Problem(path, f"cannot be read: {error.strerror}", "broken off")
        return
    if sound:
        yield Finished(archive, 1.0)


def _archive(path: str, stream: Any, size: int, archives: _Archives) -> Iterator[Item]:
    """The members of an archive, of whatever kind it is, and why they come to an early end."""
    try:
        head = stream.peek(6)[:6]
        if not head:
            raise ValueError("is empty (0 bytes)")
        prefix = _stem(path) + "/"
        if head.startswith(b"PK"):
            with _seekable(stream, archives) as file:
                yield from _zip(prefix, file, archives)
        elif head == b"7z\xbc\xaf\x27\x1c":
            with _seekable(stream, archives) as file:
                yield from _7z(prefix, file, archives)
        else:
            yield from _tar(prefix, stream, size, archives)
    except UserError:
        raise
    except _LockedError as error:
        yield Problem(path, str(error), "locked")
    except Exception as error:  # whatever an archive makes its library raise
        yield Problem(path, f"cannot be read on: {_why(error)}", "broken off")


def _seekable(stream: Any, archives: _Archives) -> Any:
    """The stream, or a copy if it is itself within an archive."""
    if archives.depth == 0 or isinstance(getattr(stream, "name", None), int):
        return stream
    with files.writing(archives.scratch):
        copy = tempfile.TemporaryFile(dir=archives.scratch, prefix=".")  # noqa: SIM115
    try:
        while piece := stream.read(2**20):
            with files.writing(archives.scratch):
                copy.write(piece)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return copy


def _zip(prefix: str, stream: IO[bytes], archives: _Archives) -> Iterator[Item]:
    password = archives.password.encode() if archives.password else None
    with zipfile.ZipFile(stream) as archive:
        members = sorted((m for m in archive.infolist() if not m.is_dir()), key=_name_in_zip)
        _check_zip(archive, members, password)
        for i, member in enumerate(members):

            def opened(member: zipfile.ZipInfo = member) -> IO[bytes]:
                return archive.open(member, pwd=password)

            is_link = (member.external_attr >> 16) & 0o170000 == 0o120000
            name = _name_in_zip(member)
            for item in _member(prefix, name, member.file_size, is_link, opened, archives):
                yield item._replace(done=(i + item.done) / len(members))


def _name_in_zip(member: zipfile.ZipInfo) -> str:
    return member.filename


def _check_zip(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo], password: bytes | None
) -> None:
    """Refuses an archive that the password does not open."""
    locked = next((member for member in members if member.flag_bits & 1), None)
    if locked is None:
        return
    if locked.compress_type == AES:
        raise _LockedError("is encrypted with AES, which Python cannot read; unpack it (7z x)")
    if password is None:
        raise _LockedError(f"needs a password; {PASSWORD}")
    try:
        with archive.open(locked, pwd=password) as stream:
            stream.read(1)
    except (RuntimeError, zipfile.BadZipFile, EOFError) as error:
        raise _LockedError(f"is not opened by the password given ({error}); {PASSWORD}") from error


def _tar(prefix: str, stream: Any, size: int, archives: _Archives) -> Iterator[Item]:
    head = stream.peek(6)[:6]
    unpack = next((u for magic, u in UNPACKERS.items() if head.startswith(magic)), None)
    unpacked = stream if unpack is None else _unpacked(unpack, stream)
    with tarfile.open(fileobj=unpacked, mode="r|", tarinfo=_Header) as archive:
        while (member := archive.next()) is not None:
            archive.members = []  # type: ignore[attr-defined]  # or tarfile keeps every header
            if member.isdir():
                continue

            def opened(member: tarfile.TarInfo = member) -> Any:
                return archive.extractfile(member)

            done = min(1.0, stream.tell() / size)
            linked = not member.isfile()
            for item in _member(prefix, member.name, member.size, linked, opened, archives):
                yield item._replace(done=done)
        while unpacked.read(2**20):  # to the checksum at the end
            pass


def _unpacked(unpack: Callable[[Any], Any], stream: Any) -> Any:
    return unpack(fileobj=stream) if unpack is gzip.GzipFile else unpack(stream)


def _7z(prefix: str, stream: IO[bytes], archives: _Archives) -> Iterator[Item]:
    try:
        from gaitjax.preparation import seven_zip
    except ImportError as error:
        raise UserError(
            f"{prefix[:-1]}.7z needs py7zr, which is not installed; pip install 'gaitjax[prepare]'"
        ) from error
    try:
        archive = seven_zip.Archive(stream, archives.password)
    except seven_zip.PasswordError as error:
        raise _LockedError(f"{error}; {PASSWORD}") from error
    safe: list[str] = []
    for name, size, is_link in archive.members():
        if problem := _refusal(name, size, is_link):
            yield Problem(prefix + name, problem)
        else:
            safe.append(name)
    try:
        contents = archive.contents(safe, archives.scratch, is_archive)
        for i, (name, content) in enumerate(contents):

            def opened(content: IO[bytes] = content) -> IO[bytes]:
                return content

            with content:
                size = content.seek(0, io.SEEK_END)
                content.seek(0)
                for item in _member(prefix, name, size, False, opened, archives):
                    yield item._replace(done=(i + item.done) / len(safe))
    except seven_zip.PasswordError as error:
        raise _LockedError(f"{error}; {PASSWORD}") from error


def _refusal(name: str, size: int, is_link: bool) -> str:
    """Why a member of an archive is left out unread, or nothing."""
    parts = name.replace("\\", "/").split("/")
    if ".." in parts or parts[0] == "" or re.match("[A-Za-z]:", name):
        return "leads out of the archive"
    if is_link:
        return "is a link or a device, which is not followed"
    if size > LARGEST and not is_archive(name):
        return f"is said to have {size} bytes; more than {LARGEST} are not read"
    return ""


def _member(
    prefix: str,
    name: str,
    size: int,
    is_link: bool,
    opened: Callable[[], IO[bytes]],
    archives: _Archives,
) -> Iterator[Item]:
    """A member of an archive: a file, an archive of its own, or neither."""
    if problem := _refusal(name, size, is_link):
        yield Problem(prefix + name, problem)
        return
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    path = prefix + "/".join(parts)
    if not parts or any(part.startswith(".") for part in parts):
        return
    if not is_archive(path):
        yield File(path, lambda: _content(opened, size))
        return
    try:
        with opened() as stream:
            yield from _archive(path, stream, size, archives.below())
    except (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile) as error:
        yield Problem(path, f"cannot be read: {_why(error)}")


def _content(opened: Callable[[], IO[bytes]], size: int) -> bytes:
    """All bytes of a member."""
    try:
        with opened() as stream:
            return stream.read(size)
    except Exception as error:  # whatever an archive makes its library raise
        raise UserError(f"cannot be read: {_why(error)}") from error


def _why(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
