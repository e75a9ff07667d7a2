"""Embeddings on the disk as they are made, so that an extraction that was killed goes on.

Beside FILE, process I writes FILE.part-I: a record that says what is embedded by what, then one for
each batch. A record is its length and one of `gaitjax.data.columns`: what a kill cut off is none.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from gaitjax import files
from gaitjax.data import columns
from gaitjax.errors import UserError, some
from gaitjax.evaluation.embed import Embedded
from gaitjax.evaluation.embeddings import PREDICTION

KIND = "gaitjax embeddings in the making"
PREFIX = 8  # bytes of a record's length, little-endian
Batch = dict[str, np.ndarray]  # 'rows' int64 [n], 'embeddings' and the predictions float32 [n, ...]


class Part:
    """The part that one process adds to, and nobody else meanwhile."""

    def __init__(self, path: Path, process: int, made_of: Mapping[str, Any]) -> None:
        """Opens a part, or begins one.

        Args:
            path: of the file of all embeddings.
            process: whose part it is.
            made_of: what decides the embeddings, JSON-able.

        Raises:
            UserError: if any part of this file is made of something else, if another process adds
                to this one, or if it cannot be written to.
        """
        for part in of(path):
            _check(part, made_of)
        self._path = path.with_name(f"{path.name}.part-{process}")
        if not self._path.exists():
            files.replace(self._path, _record({"made_of": made_of}, {}))
        with files.writing(self._path):
            self._file = self._path.open("r+b", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UserError(f"{self._path} is being written by another process") from error
        for _, _, end in _records(self._path):
            self._file.seek(end)
        self._file.truncate()  # after the last whole record

    def add(self, rows: np.ndarray, embedded: Embedded) -> None:
        """Keeps a batch.

        Args:
            rows: int64 [n], which sequences of the split it is of.
            embedded: what the network says of them.

        Raises:
            UserError: if the disk is full.
        """
        named = {PREDICTION + name: x for name, x in embedded.predictions.items()}
        named["embeddings"] = embedded.embeddings
        batch = {"rows": rows.astype("<i8"), **{k: x.astype("<f4") for k, x in named.items()}}
        rest = memoryview(_record({}, batch))
        with files.writing(self._path):
            while rest:
                rest = rest[self._file.write(rest) :]

    def close(self) -> None:
        """Lets another process have it."""
        self._file.close()


def of(path: Path) -> list[Path]:
    """The parts of a file, of all processes that ever added to one."""
    if not path.parent.is_dir():
        return []
    begin = f"{path.name}.part-"
    return sorted(x for x in path.parent.iterdir() if x.name.startswith(begin))


def done(path: Path, total: int) -> np.ndarray:
    """Which of the `total` sequences are embedded in the parts of a file, bool [total].

    Raises:
        UserError: if a part is of other sequences.
    """
    found = np.zeros(total, bool)
    for batch in _batches(path, total):
        found[batch["rows"]] = True
    return found


def in_order(path: Path, total: int) -> Embedded:
    """What the parts of a file hold together, in the order of the sequences.

    Each array is written to a file without a name, beside the parts, and mapped from there, so that
    little is in memory.

    Raises:
        UserError: if sequences are missing, or there is no room on the disk.
    """
    missing = total - int(done(path, total).sum())
    if missing:
        raise UserError(
            f"{missing} of {total} sequences are missing in {path}.part-*; run it again, with "
            "all processes on a disk that they share"
        )
    names = [name for name in next(_batches(path, total)) if name != "rows"]
    arrays = {name: _column(path, total, name) for name in names}
    return Embedded(
        arrays.pop("embeddings"), {k.removeprefix(PREDICTION): x for k, x in arrays.items()}
    )


def _column(path: Path, total: int, name: str) -> np.ndarray:
    with files.writing(path), tempfile.TemporaryFile(dir=path.parent) as file:
        for batch in _batches(path, total):
            for row, x in zip(batch["rows"].tolist(), batch[name], strict=True):
                file.seek(row * x.nbytes)
                file.write(x.tobytes())
        file.flush()
        return np.memmap(file, np.float32, "r", shape=(total, *batch[name].shape[1:]))


def _batches(path: Path, total: int) -> Iterator[Batch]:
    """Every batch of every part; checked, so that all fit together."""
    shapes = None
    for part in of(path):
        for header, batch, _ in _records(part):
            if "made_of" in header:
                continue
            rows = batch.get("rows", np.array([-1]))
            own = {name: x.shape[1:] for name, x in batch.items()}
            shapes = shapes or own
            lengths = {len(x) for x in batch.values()}
            if own != shapes or len(lengths) != 1 or not ((rows >= 0) & (rows < total)).all():
                raise UserError(f"{part} is of other sequences; delete it")
            yield batch


def _check(part: Path, made_of: Mapping[str, Any]) -> None:
    header, _, _ = next(_records(part), ({}, {}, 0))
    found = header.get("made_of")
    if not isinstance(found, dict):
        raise UserError(f"{part} is no part of embeddings; delete it, or choose another --output")
    differences = [
        f"{name} {found.get(name)} there, {wanted} now"
        for name, wanted in made_of.items()
        if found.get(name) != wanted
    ]
    if differences:
        raise UserError(
            f"{part} was begun with another network, or on other data: {some(differences, '; ')}. "
            "Go on as it was begun, choose another --output, or delete it"
        )


def _record(header: Mapping[str, Any], batch: Batch) -> bytes:
    content = columns.encode(KIND, header, batch)
    return len(content).to_bytes(PREFIX, "little") + content


def _records(part: Path) -> Iterator[tuple[dict[str, Any], Batch, int]]:
    """Header and columns of each record that is whole, and where it ends in the file."""
    with part.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while True:
            length = int.from_bytes(file.read(PREFIX), "little")
            content = file.read(min(length, size))
            try:
                header, batch = columns.decode(str(part), KIND, content)
            except UserError:
                return
            yield header, batch, file.tell()
