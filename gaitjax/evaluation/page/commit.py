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
    described = ("describe", "--always", "--dirty= and local changes", "--abbrev=40", "--exclude=*")
    try:
        tracked = _git(folder, "ls-files", "--error-unmatch", Path(file).name)
        return _git(folder, *described) if tracked else UNKNOWN
    except (OSError, subprocess.SubprocessError):
        return UNKNOWN


def _git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    done = subprocess.run(  # noqa: S603  # fixed words, and the folder of this package
        command, capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
