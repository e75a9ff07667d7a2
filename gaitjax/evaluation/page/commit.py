"""Which commit a source file is of."""

import subprocess
from pathlib import Path

UNKNOWN = "unknown: not run from a git repository"


def of(file: str | None) -> str:
    """The commit that the repository around a file has checked out; says if files differ from it.

    Args:
        file: of a package, as its `__file__`; None: unknown.
    """
    if file is None:
        return UNKNOWN
    folder = Path(file).resolve().parent
    try:
        _git(folder, "ls-files", "--error-unmatch", Path(file).name)  # fails for files of others
        return _git(
            folder, "describe", "--always", "--exclude=*", "--abbrev=40", "--dirty=, changed since"
        )
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(  # noqa: S603  # fixed words, and the folder of this package
        command, capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
