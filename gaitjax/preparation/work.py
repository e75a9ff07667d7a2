"""Makes one pickle of a job, in a worker process."""

import glob
import os
import signal
import threading
from multiprocessing import connection, parent_process
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from gaitjax import pickles
from gaitjax.errors import UserError
from gaitjax.preparation.groups import Job, Piece
from gaitjax.preparation.sources import LARGEST


def start() -> None:
    """Makes a process a worker: one thread for images, and gone when its parent is."""
    cv2.setNumThreads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted too, and ends it
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)


def make(job: Job, folder: Path, size: int) -> dict[str, Any]:
    """Reads, stacks and writes the frames of a job, ordered by their names.

    Frames that are broken, that come twice, or that differ from the first one in shape or type are
    left out. Where none is left, nothing is written.

    Args:
        job: what to make.
        folder: where to.
        size: height of prepared silhouettes, pixels.

    Returns:
        what the journal says of it: pickle, modality, start, frames, array, names, problems.

    Raises:
        UserError: if the pickle cannot be written.
    """
    frames: list[np.ndarray] = []
    names: list[str] = []
    problems = dict(job.problems)
    for piece in sorted(job.pieces, key=lambda piece: (piece.frame, piece.path)):
        try:
            if names and names[-1] == piece.frame:
                raise UserError("is a frame that comes twice")
            array = _read(job, piece, size)
            if frames and not _alike(array, frames[0]):
                raise UserError(f"is {_kind(array)}; the first frame is {_kind(frames[0])}")
        except UserError as error:
            problems[piece.path] = str(error).removeprefix(f"{piece.path}: ")
            continue
        frames.append(array)
        names.append(piece.frame)
    try:
        joined = [job.join(frames)] if frames else []
    except UserError as error:
        joined, names = [], []
        problems[job.start] = str(error)
    target = folder / job.pickle
    clean(target)
    for array in joined:
        pickles.write(target, array)
    return {
        "pickle": job.pickle,
        "modality": job.modality,
        "start": job.start,
        "frames": sum(map(len, joined)),
        "array": _kind(joined[0]) if joined else "",
        "names": names if job.framed else [],
        "problems": dict(sorted(problems.items())),
    }


def clean(path: Path) -> None:
    """Removes what a killed process left of `gaitjax.files.replace`."""
    for torn in path.parent.glob(f".{glob.escape(path.name)}.*"):
        torn.unlink()


def _read(job: Job, piece: Piece, size: int) -> np.ndarray:
    """The frames of a file."""
    content = piece.content if isinstance(piece.content, bytes) else _load(piece.content)
    if not content:
        raise UserError("is empty (0 bytes)")
    try:
        others = (_load(piece.beside),) if piece.beside else ()
        array = job.read(piece.path, content, size, *others)
    except UserError:
        raise
    except Exception as error:  # whatever the data of strangers make a library raise
        raise UserError(f"is broken: {type(error).__name__}: {error}") from error
    if len(array) == 0 or (job.framed and len(array) > 1 and job.join is np.concatenate):
        raise UserError(f"holds {len(array)} frames")
    return array


def _load(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise UserError(f"has more than {LARGEST} bytes")
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}") from error


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether frames can be stacked."""
    return one.dtype == other.dtype and one.shape[1:] == other.shape[1:]


def _kind(array: np.ndarray) -> str:
    """Type and shape of a frame, such as 'uint8 [64, 64]'."""
    return f"{array.dtype} {list(array.shape[1:])}"
