"""Several training splits as one, of which each keeps its people and its share of the steps."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gaitjax import datasets
from gaitjax.data import samplers
from gaitjax.data.columns import Names
from gaitjax.data.sequences import Sequences, open_splits
from gaitjax.errors import UserError

COUNTED = {"gaitlu_1m": 0.1}  # OpenGait counts a tenth of it where sizes make up the weights

Set = tuple[str, str, float]  # dataset, root, weight


def open_sets(sets: Sequence[Set]) -> tuple[Sequences, list[tuple[int, float]], list[str]]:
    """Finds the training splits of several sets, and how often each is drawn from.

    Args:
        sets: `config.data.sets`: dataset, root and weight of each; a dataset that has no split of
            its own needs a partition.json in its root. See `samplers.shares` for the weights.

    Returns:
        The sequences of all, one set after another; how many each set has, and its share of the
        steps; what was found, for the log.

    Raises:
        UserError: for what is no such set, and as `sequences.open_splits` does.
    """
    parts, lines = [], []
    for position, each in enumerate(sets):
        if len(each) != 3:
            raise UserError(
                f"config.data.sets[{position}] is {each!r}; expected (dataset, root, weight)"
            )
        splits = open_splits(datasets.get(each[0]), Path(each[1]), None)
        if not len(splits.train):
            raise UserError(
                f"config.data.sets[{position}]: nobody in {each[1]} is to be trained on"
            )
        parts.append(splits.train)
        lines += splits.lines
    counted = [len(part) * COUNTED.get(key, 1) for part, (key, *_) in zip(parts, sets, strict=True)]
    drawn = samplers.shares(counted, [weight for *_, weight in sets])
    joined = join([key for key, *_ in sets], parts)
    return joined, list(zip(map(len, parts), drawn, strict=True)), lines


def join(names: Sequence[str], parts: Sequence[Sequences]) -> Sequences:
    """The sequences of several sets, one set after another.

    Args:
        names: of the sets, which identities get before their own, with the number of the set.
        parts: the sequences of each.

    Returns:
        All of them; they have further labels if these are the same in all sets.
    """
    source = _Joined(names, parts)
    alike = all(part.classes == parts[0].classes for part in parts)
    return Sequences(source, np.arange(len(source.names)), parts[0].classes if alike else {})


class _Joined:
    """As `sequences.Source`, over the sequences of several."""

    def __init__(self, names: Sequence[str], parts: Sequence[Sequences]) -> None:
        self.names = _names([f"{i}-{name}-" for i, name in enumerate(names)], parts)
        self._parts = parts
        self._starts = np.cumsum([0, *map(len, parts)])

    @property
    def modalities(self) -> list[str]:
        """What the sequences of all sets may have."""
        first, *others = (part.modalities for part in self._parts)
        return [modality for modality in first if all(modality in other for other in others)]

    def has(self, row: int, modality: str) -> bool:
        part, row = self._place(row)
        return part.has(row, modality)

    def folder(self, row: int) -> str:
        part, row = self._place(row)
        return part.folder(row)

    def read(self, row: int, modality: str) -> np.ndarray:
        part, row = self._place(row)
        return part.read(row, modality)

    def check(self, row: int, modality: str) -> np.ndarray:
        part, row = self._place(row)
        return part.source.check(part.rows[row], modality)

    def sizes(self, rows: np.ndarray, modality: str) -> np.ndarray:
        sizes = np.zeros(len(rows), np.int64)
        for part, start in zip(self._parts, self._starts, strict=False):
            inside = (start <= rows) & (rows < start + len(part))
            sizes[inside] = part.source.sizes(part.rows[rows[inside] - start], modality)
        return sizes

    def _place(self, row: int) -> tuple[Sequences, int]:
        """The set of a row, and the row in it."""
        part = int(np.searchsorted(self._starts, row, side="right")) - 1
        return self._parts[part], row - int(self._starts[part])


def _names(prefixes: Sequence[str], parts: Sequence[Sequences]) -> Names:
    """What the sequences of all sets are called, identities with the prefix of their set."""
    distinct, codes = [], []
    for field in range(3):
        listed = [part.source.names.distinct[field] for part in parts]
        if field == 0:
            listed = [[p + name for name in own] for p, own in zip(prefixes, listed, strict=True)]
        union, places = np.unique(np.concatenate(listed), return_inverse=True)
        starts = np.cumsum([0, *map(len, listed)])
        of_parts = [
            places[start + part.source.names.codes[field, part.rows]]
            for start, part in zip(starts, parts, strict=False)
        ]
        distinct.append(union.tolist())
        codes.append(np.concatenate(of_parts))
    identities, types, views = distinct
    return Names((identities, types, views), np.stack(codes).astype(np.int32))
