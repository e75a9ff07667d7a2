"""Folders that are about to be written to."""

import tempfile
from pathlib import Path

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
