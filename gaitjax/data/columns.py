"""Columns of numbers in one file, and the names of sequences in few bytes.

A file is a line of JSON, which says what it is and which columns follow, then their bytes.
"""

import dataclasses
import json
import mmap
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from gaitjax.datasets import Name
from gaitjax.errors import UserError

VERSION = 1
ALIGNMENT = 64  # bytes; every column starts at a multiple of it
DTYPES = ("|u1", "<i4", "<i8", "<f4")
CHUNK = 2**24  # bytes written at a time


@dataclasses.dataclass(frozen=True, eq=False)
class Names:
    """What N sequences are called: numbers, and the names that they stand for.

    Attributes:
        distinct: of identities, of types and of views, the names that there are, sorted.
        codes: int32 [3, N], where in them the names of a sequence lie.
    """

    distinct: tuple[Sequence[str], Sequence[str], Sequence[str]]
    codes: np.ndarray

    @staticmethod
    def of(identities: Sequence[str], types: Sequence[str], views: Sequence[str]) -> "Names":
        """The names of N sequences, each given N times."""
        columns = [np.unique(column, return_inverse=True) for column in (identities, types, views)]
        identity, type_, view = (names.tolist() for names, _ in columns)
        codes = np.stack([codes for _, codes in columns]).astype(np.int32)
        return Names((identity, type_, view), codes)

    def __len__(self) -> int:
        return int(self.codes.shape[1])

    def __getitem__(self, row: int) -> Name:
        codes = self.codes[:, row].tolist()
        return Name(*(names[code] for names, code in zip(self.distinct, codes, strict=True)))

    @staticmethod
    def read(file: str, distinct: Any, codes: np.ndarray) -> "Names":
        """Names that a file holds.

        Raises:
            UserError: if they are no text, or too few for the codes; names the file.
        """
        try:
            identities, types, views = distinct
            texts = all(isinstance(name, str) for names in distinct for name in names)
            most = np.array([[len(names)] for names in distinct])
            if not texts or codes.shape[0] != 3 or ((codes < 0) | (codes >= most)).any():
                raise ValueError
        except (TypeError, ValueError) as error:
            raise UserError(f"{file} names its sequences wrongly; make it again") from error
        return Names((identities, types, views), codes)


class Strings:
    """N strings, as their bytes one after another: a million take little more than their bytes."""

    def __init__(self, ends: np.ndarray, text: np.ndarray) -> None:
        """Takes what `columns` gave.

        Args:
            ends: int64 [N], where in the text each string ends.
            text: uint8 [bytes].
        """
        self._ends, self._text = ends, text

    @staticmethod
    def of(strings: Iterable[str]) -> "Strings":
        """The strings, in their order."""
        text = bytearray()
        ends: list[int] = []
        for string in strings:
            text += string.encode(errors="surrogateescape")
            ends.append(len(text))
        return Strings(np.array(ends, np.int64), np.frombuffer(bytes(text), np.uint8))

    @property
    def empty(self) -> bool:
        """Whether all of them are empty."""
        return not len(self._text)

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, row: int) -> str:
        start = self._ends[row - 1] if row else 0
        return self._text[start : self._ends[row]].tobytes().decode(errors="surrogateescape")

    def __iter__(self) -> Iterator[str]:
        return (self[row] for row in range(len(self)))

    def columns(self, name: str) -> dict[str, np.ndarray]:
        """What makes them up, as columns of a file."""
        return {f"{name}/ends": self._ends, f"{name}/text": self._text}

    @staticmethod
    def read(name: str, columns: Mapping[str, np.ndarray]) -> "Strings":
        """The strings whose columns have this name."""
        return Strings(columns[f"{name}/ends"], columns[f"{name}/text"])


def encode(kind: str, header: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> bytes:
    """The content of a file; the same for the same columns.

    Args:
        kind: what the file is, such as 'gaitjax store'.
        header: what else is to be known, JSON-able.
        columns: name -> uint8, int32, int64 or float32 [n, ...].
    """
    return b"".join(pieces(kind, header, columns))


def pieces(
    kind: str, header: Mapping[str, Any], columns: Mapping[str, np.ndarray]
) -> Iterator[bytes]:
    """As `encode`, some bytes at a time: of columns that are mapped, little is in memory."""
    crc = 0
    for piece in _body(columns):
        crc = zlib.crc32(piece, crc)
    described = [[name, x.dtype.str, list(x.shape)] for name, x in columns.items()]
    line = json.dumps(
        {"kind": kind, "version": VERSION, "crc": crc, "columns": described, **header}
    ).encode()
    yield line + b" " * (-(len(line) + 1) % ALIGNMENT) + b"\n"
    yield from _body(columns)


def _body(columns: Mapping[str, np.ndarray]) -> Iterator[bytes]:
    for column in columns.values():
        assert column.dtype.str in DTYPES, column.dtype
        rows = max(1, CHUNK * len(column) // max(1, column.nbytes))
        for start in range(0, len(column), rows):
            yield column[start : start + rows].tobytes()
        yield bytes(-column.nbytes % ALIGNMENT)


def decode(
    file: str, kind: str, content: bytes | mmap.mmap
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """What `encode` was given.

    Takes no more memory than the content, whatever it says of itself; columns are views of it.

    Args:
        file: its name, for errors.
        kind: what it has to be.
        content: of the file; it may be mapped.

    Returns:
        the header, and name -> column.

    Raises:
        UserError: for a file of another kind or version, and for one cut off or changed.
    """
    end = content.find(b"\n")
    body = memoryview(content)[end + 1 :]
    try:
        header = json.loads(content[:end])
        found, version = header["kind"], header["version"]
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise UserError(f"{file} is cut off or no {kind}; delete it and make it again") from error
    if found != kind or version != VERSION:
        raise UserError(
            f"{file} is a {str(found)[:40]} of version {str(version)[:40]}; this gaitjax reads "
            f"a {kind} of version {VERSION}: make it again"
        )
    try:
        columns = _columns(header["columns"], body)
        if zlib.crc32(body) != header["crc"]:
            raise ValueError
    except (ValueError, TypeError, LookupError) as error:
        raise UserError(f"{file} is cut off or was changed; delete it and make it again") from error
    return header, columns


def _columns(described: Any, body: memoryview) -> dict[str, np.ndarray]:
    columns, start = {}, 0
    for name, dtype, shape in described:
        if dtype not in DTYPES or not all(type(n) is int and n >= 0 for n in shape):
            raise ValueError
        columns[name] = np.ndarray(shape, dtype, body, start)
        start += -(-columns[name].nbytes // ALIGNMENT) * ALIGNMENT
    if start != len(body):
        raise ValueError
    return columns
