"""Embeddings of a split as one file, from which they are scored without a network or frames.

The file is one of `gaitjax.data.columns`: a line of JSON, which names the sequences and says where
they come from, then the numbers. Reading maps them into memory; a file must not be cut off while
it is mapped.
"""

import mmap
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gaitjax import files
from gaitjax.data import columns
from gaitjax.data.columns import Names
from gaitjax.errors import UserError

KIND = "gaitjax embeddings"
PREDICTION = "prediction/"  # begins the names of their columns
LINE_BYTES = 2**26  # of a first line; the names of a million sequences take a third of it
NAMES_BYTES = 2**28  # names may take as much in memory, or as much as the embeddings


class Embeddings(NamedTuple):
    """Embeddings of N sequences.

    Attributes:
        embeddings: float32 [N, P, C]; perhaps mapped, and read-only.
        predictions: name -> float32 [N, ...], such as 'diagnosis', where the network makes any.
        identities: str [N].
        types: str [N].
        views: str [N].
        facts: where they come from, JSON-able: 'network', 'config', 'checkpoint', 'step',
            'dataset', 'data' (fingerprint) and so on.
    """

    embeddings: np.ndarray
    predictions: dict[str, np.ndarray]
    identities: np.ndarray
    types: np.ndarray
    views: np.ndarray
    facts: dict[str, Any]


def write(path: Path, embeddings: Embeddings) -> None:
    """Writes a file, whole or not at all; of arrays that are mapped, little is in memory.

    Raises:
        UserError: if it cannot be written.
    """
    names = Names.of(
        *(x.tolist() for x in (embeddings.identities, embeddings.types, embeddings.views))
    )
    content = {"embeddings": embeddings.embeddings, "names": names.codes}
    content |= {PREDICTION + name: x for name, x in embeddings.predictions.items()}
    _check(content)
    header = {"names": names.distinct, "facts": embeddings.facts}
    with files.replacing(path) as file:
        for piece in columns.pieces(KIND, header, content):
            file.write(piece)


def read(path: Path) -> Embeddings:
    """Reads a file; its numbers are mapped, and every byte is looked at once.

    Raises:
        UserError: if it is missing, cut off, changed or something else; names the file.
    """
    header, content = columns.decode(str(path), KIND, _map(path))
    try:
        names = Names.read(str(path), header["names"], content["names"])
        _check(content)
        width = 4 * sum(max(map(len, distinct)) for distinct in names.distinct)  # bytes, UCS-4
        if width * len(names) > max(NAMES_BYTES, content["embeddings"].nbytes):
            raise ValueError("names of absurd length")
        if not isinstance(header["facts"], dict):
            raise ValueError("no facts")
    except (LookupError, TypeError, ValueError) as error:
        raise UserError(f"{path} holds no embeddings of sequences ({error}); make it again") from (
            error
        )
    identities, types, views = (
        np.array(distinct)[codes]
        for distinct, codes in zip(names.distinct, names.codes, strict=True)
    )
    predictions = {
        name.removeprefix(PREDICTION): x
        for name, x in content.items()
        if name.startswith(PREDICTION)
    }
    return Embeddings(content["embeddings"], predictions, identities, types, views, header["facts"])


def _map(path: Path) -> mmap.mmap:
    try:
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as error:  # ValueError: nothing is in it
        cause = getattr(error, "strerror", None) or error
        raise UserError(
            f"{path} cannot be read: {cause}; expected a file that gaitjax.embed wrote"
        ) from error
    if mapped.find(b"\n", 0, LINE_BYTES) < 0:
        raise UserError(f"{path} is cut off or no {KIND}; make it again with gaitjax.embed")
    return mapped


def _check(content: dict[str, np.ndarray]) -> None:
    """Raises unless all columns are of the same sequences, one or more."""
    embeddings, rows = content["embeddings"], content["names"].shape[-1]
    if embeddings.ndim != 3 or not embeddings.size or rows != len(embeddings):
        raise ValueError(f"embeddings {list(embeddings.shape)} of {rows} sequences")
    for name, x in content.items():
        if name != "names" and (x.dtype != np.float32 or len(x) != rows):
            raise ValueError(f"{name} {list(x.shape)} of {x.dtype}")
