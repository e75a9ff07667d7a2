"""A dataset as folders of pickles: `root/identity/type/view/*.pkl`.

To find a million sequences takes minutes, so what was found is kept in a hidden file in the root,
where that can be written to. It counts for as long as the folders have the times that they had.
"""

import contextlib
import dataclasses
import fnmatch
import glob
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from gaitjax import files as writing
from gaitjax import pickles, progress
from gaitjax.data import columns
from gaitjax.data.columns import Names, Strings
from gaitjax.data.modalities import checked
from gaitjax.datasets import Name
from gaitjax.errors import UserError, some

LAYOUT = "root/identity/type/view/*.pkl"
INDEX = ".gaitjax.index"  # hidden in the root
KIND = "gaitjax index"
MANY = "/"  # stands for the name of a file where several could be meant; no file is called so
SETTLED = 2 * 10**9  # nanoseconds after which a folder that changes gets another time


@dataclasses.dataclass(eq=False)
class Tree:
    """N sequences, each a folder with one pickle a modality.

    A million take some 50 MB, and 20 MB more for every modality.

    Attributes:
        root: the folder.
        identities: all folders of the root, with sequences or without.
        names: of the sequences, in the order of identities, types and views.
        without: identity/type/view of the folders without a pickle, which are left out.
        files: modality -> pattern of its pickle, as in `datasets.Dataset`.
        found: modality -> the name of its pickle in each folder; '' where there is none.
    """

    root: Path
    identities: list[str]
    names: Names
    without: list[str]
    files: Mapping[str, str]
    found: Mapping[str, Strings]

    @property
    def modalities(self) -> list[str]:
        """What some of the sequences have."""
        return [modality for modality in self.files if not self.found[modality].empty]

    def folder(self, row: int) -> str:
        """Where a sequence lies."""
        return "/".join((str(self.root), *self.names[row]))

    def path(self, row: int, modality: str) -> str:
        """The pickle of one modality of one sequence.

        Raises:
            UserError: if the dataset has no such modality, or not exactly one file is that of it.
        """
        name = self._found(row, modality)
        if name in ("", MANY):  # it may have come since
            folder = self.folder(row)
            names = list_names(folder, files=True)
            matching = _matching(names, self.files[modality], self.names[row])
            if len(matching) != 1:
                raise UserError(
                    f"{folder} has {len(matching)} files named {self.files[modality]}, where one "
                    f"pickle of {modality} is expected; it holds {some(names)}"
                )
            name = matching[0]
        return f"{self.folder(row)}/{name}"

    def has(self, row: int, modality: str) -> bool:
        """Whether a sequence has one pickle of a modality, or several that could be it."""
        return self._found(row, modality) != ""

    def _found(self, row: int, modality: str) -> str:
        if modality not in self.files:
            raise UserError(
                f"config.data.modalities asks for {modality!r}; the dataset has "
                f"{', '.join(sorted(self.files))}"
            )
        return self.found[modality][row]

    def read(self, row: int, modality: str) -> np.ndarray:
        """The frames of one modality of one sequence.

        Returns:
            [T, ...], T at least 1; floats are float32.

        Raises:
            UserError: as `path` and `pickles.read` do; if the array has no frames, or is not one of
                this modality.
        """
        path = self.path(row, modality)
        return checked(path, modality, pickles.read(path))

    def check(self, row: int, modality: str) -> np.ndarray:
        """As `read`, which meets whatever may be wrong with a pickle."""
        return self.read(row, modality)

    def sizes(self, rows: np.ndarray, modality: str) -> np.ndarray:
        """How large the pickles are now.

        Returns:
            int64 [rows], in bytes.

        Raises:
            UserError: as `path` does.
        """
        return np.array([self.stat(row, modality).st_size for row in rows.tolist()], np.int64)

    def stat(self, row: int, modality: str) -> os.stat_result:
        """Size and time of a pickle as they are now.

        Raises:
            UserError: as `path` does, and if the pickle is gone.
        """
        path = self.path(row, modality)
        try:
            return Path(path).stat()
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}; check it") from error


def open_tree(root: Path, files: Mapping[str, str]) -> Tree:
    """Finds the sequences below a root, or reads which were found before.

    Args:
        root: the folder.
        files: modality -> pattern of its pickle, as in `datasets.Dataset`.

    Raises:
        UserError: if the root is missing or has no folders.
    """
    return _read(root, _identities(root), files) or scan(root, files)


def scan(root: Path, files: Mapping[str, str]) -> Tree:
    """Finds the sequences below a root, as `open_tree` does, whatever was found before."""
    tree, times = _scan(root, _identities(root), files)
    if len(tree.names):
        _write(tree, times)
    return tree


def _identities(root: Path) -> list[str]:
    """The folders of a root, which must be there and have some."""
    if not root.is_dir():
        what = "is a file" if root.exists() else "does not exist"
        raise UserError(f"config.data.root is {root}, which {what}; expected {LAYOUT}")
    names = list_names(root, files=False)
    if not names:
        what = "only files" if list_names(root, files=True) else "nothing"
        raise UserError(f"config.data.root is {root}, which holds {what}; expected {LAYOUT}")
    return names


def _scan(
    root: Path, identities: list[str], files: Mapping[str, str]
) -> tuple[Tree, dict[str, int]]:
    """What there is, and the times of the folders, taken before they were looked into."""
    times: dict[str, int] = {}
    rows: list[Name] = []
    without: list[str] = []
    found: dict[str, list[str]] = {modality: [] for modality in files}

    def below(folder: str) -> list[str]:
        times[folder] = _time(f"{root}/{folder}")
        return list_names(f"{root}/{folder}", files=False)

    for identity in progress.bar(identities, len(identities), "finding sequences"):
        for type_ in below(identity):
            for view in below(f"{identity}/{type_}"):
                folder = f"{identity}/{type_}/{view}"
                before = _time(f"{root}/{folder}")
                names = list_names(f"{root}/{folder}", files=True)
                if any(name.endswith(".pkl") for name in names):
                    rows.append(Name(identity, type_, view))
                    for modality, pattern in files.items():
                        found[modality].append(_only(_matching(names, pattern, rows[-1])))
                else:
                    without.append(folder)
                    times[folder] = before
    sequences = Names.of(*([row[i] for row in rows] for i in range(3)))
    strings = {modality: Strings.of(which) for modality, which in found.items()}
    return Tree(root, identities, sequences, without, files, strings), times


def _matching(names: list[str], patterns: str, sequence: Name) -> list[str]:
    """The files that the first alternative names which names any."""
    fields = sequence._asdict()
    for pattern in patterns.split("|"):
        if any(character in pattern for character in "*?["):
            escaped = {field: glob.escape(value) for field, value in fields.items()}
            matching = fnmatch.filter(names, pattern.format(**escaped))
        else:  # to compile a pattern for every sequence would take long
            matching = [name for name in names if name == pattern.format(**fields)]
        if matching:
            return matching
    return []


def _only(matching: list[str]) -> str:
    return matching[0] if len(matching) == 1 else MANY if matching else ""


def _time(folder: str) -> int:
    """When a folder was changed last, in nanoseconds; -1 if it is not there."""
    try:
        return Path(folder).stat().st_mtime_ns
    except OSError:
        return -1


def _write(tree: Tree, times: Mapping[str, int]) -> None:
    """Keeps what was found, where the root can be written to."""
    header = {
        "identities": tree.identities,
        "files": dict(tree.files),
        "names": tree.names.distinct,
    }
    content = {
        "codes": tree.names.codes,
        "times": np.array(list(times.values()), np.int64),
        **Strings.of(times).columns("folders"),
        **Strings.of(tree.without).columns("without"),
    }
    for modality, found in tree.found.items():
        content |= found.columns(f"file/{modality}")
    with contextlib.suppress(UserError):
        writing.replace(tree.root / INDEX, columns.encode(KIND, header, content))


def _read(root: Path, identities: list[str], files: Mapping[str, str]) -> Tree | None:
    """What was found before, unless anything has changed since."""
    path = root / INDEX
    try:
        written = path.stat().st_mtime_ns
        header, content = columns.decode(str(path), KIND, path.read_bytes())
        names = Names.read(str(path), header["names"], content["codes"])
        found = {modality: Strings.read(f"file/{modality}", content) for modality in files}
        folders, without = (Strings.read(name, content) for name in ("folders", "without"))
        same = header["identities"] == identities and header["files"] == dict(files)
        times = content["times"].tolist()
    except (OSError, UserError, LookupError):
        return None
    same &= max(times, default=0) + SETTLED < written
    if same and all(_time(f"{root}/{f}") == t for f, t in zip(folders, times, strict=True)):
        return Tree(root, identities, names, list(without), files, found)
    return None


def list_names(folder: Path | str, files: bool) -> list[str]:
    """The files or the folders in a folder, sorted, without hidden ones.

    Raises:
        UserError: if it cannot be read.
    """
    try:
        with os.scandir(folder) as entries:
            return sorted(
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir() != files
            )
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}; check its rights") from error
