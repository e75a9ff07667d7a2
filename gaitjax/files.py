"""Folders and files that are written to."""

import contextlib
import os
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from gaitjax.errors import UserError


def check_writable(folder: Path) -> None:
    """Refuses a folder that cannot be made or written to, and leaves nothing behind.

    Raises:
        UserError: names the folder and the reason.
    """
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    try:
        with tempfile.TemporaryFile(dir=existing):
            pass
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written to ({existing}: {error.strerror}); choose another folder"
        ) from error


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turns what goes wrong on a disk into an error for the user.

    Raises:
        UserError: names the folder and the reason.
    """
    try:
        yield
    except (OSError, ValueError) as error:  # TensorStore tells of a full disk by a ValueError
        cause = getattr(error, "strerror", None) or str(error).partition(" [tensorstore_spec")[0]
        raise UserError(
            f"{folder} cannot be written to: {cause}; make room, or choose another folder"
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write to, which is either whole or as it was before, whoever else writes it too.

    Args:
        path: where it will be, once all is written; its folder is made if it is missing.

    Raises:
        UserError: names the file and the reason.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with temporary.open("wb") as file:
                yield file
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def replace(path: Path, data: bytes) -> None:
    """Writes a file, which is either whole or as it was before, whoever else writes it meanwhile.

    Args:
        path: where to; its folder is made if it is missing.
        data: the content.

    Raises:
        UserError: names the file and the reason.
    """
    with replacing(path) as file:
        file.write(data)
