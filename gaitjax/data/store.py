"""The packed form of a dataset: the frames of all sequences in a few large files.

A store is a folder. Its shards hold the arrays one after another, as `modalities.checked` gives
them, and at their end what they hold; the index, written last, says where everything lies. Without
an index there is no store. Shards are mapped into memory, so that a batch reads the frames that it
needs and no others, and what is in memory is the operating system's to drop. A shard must not be
cut off while it is mapped: the system ends whoever reads behind its end.
"""

import dataclasses
import mmap
import os
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gaitjax import files as writing
from gaitjax import pickles, progress
from gaitjax.ahead import ahead
from gaitjax.data import columns
from gaitjax.data.columns import Names, Strings
from gaitjax.data.modalities import checked
from gaitjax.data.tree import LAYOUT, Tree, list_names, scan
from gaitjax.errors import UserError, some

INDEX = "store.index"
KIND, SHARD_KIND = "gaitjax store", "gaitjax shard"
SHARD_BYTES = 4 * 2**30  # a shard ends with the sequence that reaches it; each is one open file
THREADS = 4  # sequences read at the same time while packing
# Where the frames of a sequence and modality lie, in rows of int64: shard (-1: it has none), first
# byte, number of frames, kind (data type and shape of a frame), bytes of its pickle, CRC-32.
FIELDS = SHARD, START, FRAMES, KIND_OF, SIZE, CRC = range(6)
NONE = (-1, 0, 0, 0, 0, 0)
LEFT_OUT = ("left_out", "reasons")  # columns

Kind = tuple[str, tuple[int, ...]]  # data type, shape of a frame


class Store:
    """N packed sequences.

    A million take some 20 MB, and 50 MB more for every modality; frames are mapped, not held.

    Attributes:
        root: the folder.
        identities: all folders that the packed root had, with sequences or without.
        names: of the sequences, in the order of identities, types and views.
        without: identity/type/view of the root's folders without a pickle.
        left_out: identity/type/view and reason of the sequences that were broken.
        places: modality -> int64 [6, N], as `FIELDS`.
    """

    def __init__(
        self,
        root: Path,
        identities: list[str],
        names: Names,
        without: list[str],
        left_out: list[tuple[str, str]],
        places: Mapping[str, np.ndarray],
        kinds: list[Kind],
        sizes: list[int],
    ) -> None:
        self.root, self.identities, self.names, self.without = root, identities, names, without
        self.left_out, self.places, self._kinds, self._sizes = left_out, places, kinds, sizes
        self._mapped: dict[int, mmap.mmap] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_mapped": {}}  # every process maps for itself

    @property
    def modalities(self) -> list[str]:
        """What some of the sequences have."""
        return list(self.places)

    def has(self, row: int, modality: str) -> bool:
        """Whether a sequence has a modality."""
        return bool(self._places(modality)[SHARD, row] >= 0)

    def folder(self, row: int) -> str:
        """The name of a sequence, below that of the store."""
        return "/".join((str(self.root), *self.names[row]))

    def read(self, row: int, modality: str) -> np.ndarray:
        """The frames of one modality of one sequence.

        Returns:
            [T, ...], T at least 1, read-only; read from the disk when they are used.

        Raises:
            UserError: if the sequence has no such modality, or the shard is missing or cut off.
        """
        shard, start, frames, kind, _, _ = self._places(modality)[:, row].tolist()
        if shard < 0:
            raise UserError(f"{self.folder(row)} has no {modality}: pack it with its pickle")
        dtype, shape = self._kinds[kind]
        mapped = self._map(shard)
        array: np.ndarray = np.ndarray((frames, *shape), dtype, mapped, start)
        # one request to the disk instead of one for every few frames
        page = start - start % mmap.PAGESIZE
        mapped.madvise(mmap.MADV_WILLNEED, page, start - page + array.nbytes)
        return array

    def check(self, row: int, modality: str) -> np.ndarray:
        """As `read`, and looks at every byte.

        Raises:
            UserError: as `read` does; if a byte is not what was packed.
        """
        array = self.read(row, modality)
        if zlib.crc32(array.data) != self.places[modality][CRC, row]:
            raise UserError(f"{self.folder(row)}: its {modality} was changed; pack it again")
        return array

    def sizes(self, rows: np.ndarray, modality: str) -> np.ndarray:
        """How large the pickles were.

        Returns:
            int64 [rows], in bytes.

        Raises:
            UserError: if a sequence has no such modality.
        """
        places = self._places(modality)[:, rows]
        if (places[SHARD] < 0).any():
            row = rows[np.argmax(places[SHARD] < 0)]
            raise UserError(f"{self.folder(row)} has no {modality}: pack it with its pickle")
        sizes: np.ndarray = places[SIZE]
        return sizes

    def _places(self, modality: str) -> np.ndarray:
        if modality not in self.places:
            raise UserError(
                f"config.data.modalities asks for {modality!r}; {self.root} was packed with "
                f"{', '.join(sorted(self.places))}"
            )
        return self.places[modality]

    def _map(self, shard: int) -> mmap.mmap:
        if shard not in self._mapped:
            path = shard_path(self.root, shard)
            _check_size(path, self._sizes[shard])
            try:
                with path.open("rb") as file:
                    self._mapped[shard] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except (OSError, ValueError) as error:
                raise UserError(f"{path} cannot be read: {error}; pack it again") from error
        return self._mapped[shard]


def shard_path(root: Path, shard: int) -> Path:
    """The file of a shard."""
    return root / f"shard-{shard:05}.bin"


def is_store(root: Path) -> bool:
    """Whether a folder is a store, or one that was not packed to its end."""
    return (root / INDEX).exists() or shard_path(root, 0).exists()


def open_store(root: Path) -> Store:
    """A packed dataset; its index is read and checked, its frames are not.

    Raises:
        UserError: if it was not packed to its end, is cut off, changed or of another version.
    """
    path = root / INDEX
    if not path.exists():
        raise UserError(f"{root} was not packed to its end: pack it again, which goes on")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; check its rights") from error
    header, found = columns.decode(str(path), KIND, content)
    try:
        names = Names.read(str(path), header["names"], found["codes"])
        identities, without, broken, reasons = (
            list(Strings.read(name, found)) for name in ("identities", "without", *LEFT_OUT)
        )
        left_out = list(zip(broken, reasons, strict=True))
        kinds = [_kind(kind) for kind in header["kinds"]]
        places = {m: found[f"place/{m}"] for m in header["modalities"]}
        sizes = header["shards"]
        for i, size in enumerate(sizes):
            _check_size(shard_path(root, i), size)
        for modality, place in places.items():
            _check(place, len(names), kinds, sizes)
            for kind in np.unique(place[KIND_OF, place[SHARD] >= 0]).tolist():
                _check_kind(str(path), modality, *kinds[kind])
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(
            f"{path} says what cannot be ({error}); delete it and pack it again"
        ) from error
    return Store(root, identities, names, without, left_out, places, kinds, sizes)


def _kind(described: Any) -> Kind:
    """Data type and shape of a frame, if there are such."""
    dtype, shape = described
    if dtype[1:] not in pickles.NUMBERS or not 0 <= len(shape) <= 7:
        raise ValueError("frames of no numbers")
    if not all(type(n) is int and 1 <= n < 2**31 for n in shape):
        raise ValueError("frames of an absurd shape")
    return dtype, tuple(shape)


def _check_kind(file: str, modality: str, dtype: str, shape: tuple[int, ...]) -> None:
    """Raises unless a sequence of one such frame is one of the modality as it is."""
    frame = np.broadcast_to(np.zeros((), dtype), (1, *shape))  # takes no memory
    converted = frame.dtype.kind == "f" and frame.dtype != np.float32
    if converted or checked(file, modality, frame).shape != frame.shape:
        raise ValueError(f"frames of {dtype} {list(shape)} for {modality}")


def _check_size(path: Path, size: Any) -> None:
    """Raises unless a shard has as many bytes as the index says."""
    found = path.stat().st_size if path.exists() else 0
    if type(size) is not int or found != size:
        raise UserError(f"{path} has {found} bytes where {size} were packed; pack it again")


def _check(place: np.ndarray, sequences: int, kinds: list[Kind], sizes: list[int]) -> None:
    """Raises unless every array lies within its shard."""
    if place.shape != (len(FIELDS), sequences) or place.dtype != np.int64:
        raise ValueError("places of no sequences")
    shard, start, frames, kind = place[:, place[SHARD] >= 0][:SIZE]
    each = np.array([_nbytes(kind) for kind in kinds], np.float64)
    if (shard >= len(sizes)).any() or ((kind < 0) | (kind >= len(kinds))).any():
        raise ValueError("a shard or a kind of frames that there is not")
    # As floats, which do not overflow; they are exact for all that could be true.
    outside = start + frames * each[kind] > np.array(sizes, np.int64)[shard]
    if (outside | (start < 0) | (frames < 1)).any():
        raise ValueError("frames outside their shard")


def _nbytes(kind: Kind) -> int:
    dtype, shape = kind
    return int(np.prod((np.dtype(dtype).itemsize, *shape), dtype=object))


def pack(root: Path, output: Path, files: Mapping[str, str], strict: bool = False) -> Store:
    """Packs a tree of pickles; a tree that has not changed gives the same bytes.

    A run that was killed goes on with the shards that are whole; one that was done only looks
    whether anything has changed. 2 * THREADS sequences are in memory, beside the names.

    Args:
        root: the tree, root/identity/type/view/*.pkl.
        output: the folder of the store: new, empty or packed before.
        files: modality -> pattern of its pickle, as in `datasets.Dataset`; all that there are of
            these are packed.
        strict: refuse a sequence that is broken, instead of recording it and leaving it out.

    Raises:
        UserError: if there is nothing to pack, if the output holds or would hold anything else, if
            the disk is full, or for broken sequences where `strict`.
    """
    _prepare_output(root, output)
    tree = scan(root, files)
    if not len(tree.names):
        raise UserError(f"{root} has no sequence to pack; expected {LAYOUT}")
    parts: list[_Part] = []
    row = 0
    # Shards from a run before, as long as they hold what a new one would.
    while row < len(tree.names) and (part := _kept(output, len(parts), tree, row, strict)):
        parts.append(part)
        row += part.rows
    if row < len(tree.names):
        (output / INDEX).unlink(missing_ok=True)
        read = ahead(lambda r: _read(tree, r, strict), range(row, len(tree.names)), THREADS)
        read = progress.bar(read, len(tree.names) - row, "packing")
        while row < len(tree.names):
            parts.append(_write_shard(output, len(parts), tree, row, read))
            row += parts[-1].rows
    _finish(output, tree, parts)
    return open_store(output)


@dataclasses.dataclass(frozen=True, eq=False)
class _Part:
    """What a shard says of itself at its end.

    Attributes:
        bytes: of the file.
        end: of the frames in it.
        names: identity/type/view of the sequences that it holds or leaves out.
        left_out: int64, which of them it leaves out.
        reasons: why, one for each.
        places: modality -> int64 [6, held], as `FIELDS`.
        kinds: what the kinds in them stand for.
    """

    bytes: int
    end: int
    names: Strings
    left_out: np.ndarray
    reasons: Strings
    places: dict[str, np.ndarray]
    kinds: list[Kind]

    @property
    def rows(self) -> int:
        return len(self.names)


def _read(tree: Tree, row: int, strict: bool) -> dict[str, tuple[np.ndarray, int]] | str:
    """Modality -> frames and bytes of the pickle; or what is wrong with the sequence."""
    try:
        return {
            modality: (tree.read(row, modality), tree.stat(row, modality).st_size)
            for modality in tree.modalities
            if tree.has(row, modality)
        }
    except UserError as error:
        if strict:
            raise
        return str(error).replace(f"{tree.root}/", "")


def _write_shard(
    output: Path, shard: int, tree: Tree, first: int, read: Iterator[dict[str, Any] | str]
) -> _Part:
    """Writes what was read of the rows from the first on, until the shard is full."""
    names, kinds, broken = [], dict[Kind, int](), dict[int, str]()
    places: dict[str, list[tuple[int, ...]]] = {modality: [] for modality in tree.modalities}
    with writing.replacing(shard_path(output, shard)) as file:
        for position, arrays in enumerate(read):
            names.append("/".join(tree.names[first + position]))
            if isinstance(arrays, str):
                broken[position] = arrays
                continue
            for modality, place in places.items():
                found = arrays.get(modality)
                place.append((shard, *_append(file, kinds, *found)) if found else NONE)
            if file.tell() >= SHARD_BYTES:
                break
        end = _align(file)
        header = {"modalities": list(places), "kinds": list(kinds)}
        content = {
            **Strings.of(names).columns("names"),
            "left_out": np.array(list(broken), np.int64),
            **Strings.of(broken.values()).columns("reasons"),
        }
        for modality, place in places.items():
            content[f"place/{modality}"] = np.array(place, np.int64).reshape(-1, len(NONE)).T
        file.write(columns.encode(SHARD_KIND, header, content))
        file.write(end.to_bytes(8, "little"))
    part = _read_part(output, shard)
    assert part is not None
    return part


def _append(
    file: BinaryIO, kinds: dict[Kind, int], array: np.ndarray, size: int
) -> tuple[int, ...]:
    """Writes the frames of a sequence; where they lie, without the shard."""
    array = np.ascontiguousarray(array)
    start = _align(file)
    file.write(array.data)
    kind = kinds.setdefault((array.dtype.str, array.shape[1:]), len(kinds))
    return start, len(array), kind, size, zlib.crc32(array.data)


def _align(file: BinaryIO) -> int:
    file.write(bytes(-file.tell() % columns.ALIGNMENT))
    return file.tell()


def _read_part(output: Path, shard: int) -> _Part | None:
    """What a shard says at its end; None if it is missing, broken or of another version."""
    path = shard_path(output, shard)
    try:
        with path.open("rb") as file:
            length = file.seek(-8, os.SEEK_END) + 8
            end = file.seek(int.from_bytes(file.read(), "little"))
            header, found = columns.decode(str(path), SHARD_KIND, file.read()[:-8])
        names, reasons = (Strings.read(name, found) for name in ("names", "reasons"))
        kinds = [_kind(kind) for kind in header["kinds"]]
        places = {m: found[f"place/{m}"] for m in header["modalities"]}
        for place in places.values():
            _check(place, len(names) - len(reasons), kinds, [*[0] * shard, length])
        return _Part(length, end, names, found["left_out"], reasons, places, kinds)
    except (OSError, UserError, LookupError, TypeError, ValueError):
        return None


def _kept(output: Path, shard: int, tree: Tree, first: int, strict: bool) -> _Part | None:
    """The shard that is there, if it is what would be written of the rows from the first on."""
    part = _read_part(output, shard)
    if part is None or list(part.places) != tree.modalities:
        return None
    rows = range(first, first + part.rows)
    full = part.end >= SHARD_BYTES or rows.stop == len(tree.names)
    if not full or rows.stop > len(tree.names):
        return None
    written = shard_path(output, shard).stat().st_mtime_ns
    held = np.delete(np.array(rows), part.left_out).tolist()
    same = (
        all("/".join(tree.names[row]) == name for row, name in zip(rows, part.names, strict=True))
        and all(
            _read(tree, rows[position], strict) == reason
            for position, reason in zip(part.left_out.tolist(), part.reasons, strict=True)
        )
        and all(
            _unchanged(tree, row, modality, size, written)
            for modality, place in part.places.items()
            for row, size in zip(held, place[SIZE].tolist(), strict=True)
        )
    )
    return part if same else None


def _unchanged(tree: Tree, row: int, modality: str, size: int, written: int) -> bool:
    """Whether a pickle has the size that was packed, 0 for none, and is older than the shard."""
    if not tree.has(row, modality):
        return size == 0
    stat = tree.stat(row, modality)
    return stat.st_size == size and stat.st_mtime_ns <= written


def _finish(output: Path, tree: Tree, parts: list[_Part]) -> None:
    """Writes the index, which makes the shards a store."""
    first = np.cumsum([0, *(part.rows for part in parts)])
    left_out = np.concatenate([part.left_out + at for part, at in zip(parts, first, strict=False)])
    kinds = list(dict.fromkeys(kind for part in parts for kind in part.kinds))
    content = {
        "codes": np.delete(tree.names.codes, left_out, axis=1),
        **Strings.of(tree.identities).columns("identities"),
        **Strings.of(tree.without).columns("without"),
        **Strings.of("/".join(tree.names[row]) for row in left_out.tolist()).columns(LEFT_OUT[0]),
        **Strings.of(reason for part in parts for reason in part.reasons).columns(LEFT_OUT[1]),
    }
    for modality in tree.modalities:
        content[f"place/{modality}"] = np.concatenate(
            [_renumbered(part, modality, kinds) for part in parts], axis=1
        )
    header = {
        "names": tree.names.distinct,
        "modalities": tree.modalities,
        "kinds": kinds,
        "shards": [part.bytes for part in parts],
    }
    writing.replace(output / INDEX, columns.encode(KIND, header, content))
    partition = tree.root / "partition.json"
    if partition.exists():
        writing.replace(output / partition.name, partition.read_bytes())
    shard = len(parts)
    while shard_path(output, shard).exists():
        shard_path(output, shard).unlink()
        shard += 1


def _renumbered(part: _Part, modality: str, kinds: list[Kind]) -> np.ndarray:
    """The places of a part, with the numbers that the kinds have in the whole store."""
    place = part.places[modality].copy()
    numbers = np.array([kinds.index(kind) for kind in part.kinds])
    held = place[SHARD] >= 0
    place[KIND_OF, held] = numbers[place[KIND_OF, held]]
    return place


def _prepare_output(root: Path, output: Path) -> None:
    """Refuses folders in which something else lies, and removes what a killed run left there."""
    inside, outside = output.resolve(), root.resolve()
    if inside == outside or inside in outside.parents or outside in inside.parents:
        raise UserError(f"{output} and {root} lie in each other; choose another --output")
    if not output.exists():
        return
    others = list_names(output, files=False)
    for name in list_names(output, files=True):
        if name not in (INDEX, "partition.json") and not name.startswith("shard-"):
            others.append(name)
    if others:
        raise UserError(
            f"{output} holds {some(others)}, which is no store; choose another --output"
        )
    for path in output.glob(".shard-*"):
        path.unlink()
