"""Embeds every sequence of a dataset, in buckets of similar length."""

import collections
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

from gaitjax import progress
from gaitjax.ahead import ahead
from gaitjax.data import transforms as host
from gaitjax.errors import UserError
from gaitjax.evaluation.predictions import MASK
from gaitjax.losses import binary_cross_entropy
from gaitjax.models import Output
from gaitjax.models.layers.padding import valid_frames

THREADS = 4  # sequences read at the same time

SEQUENCE_AXES = 3  # at most, of what is told of a whole sequence; [N, T, H, W] is of its frames


class Embedded(NamedTuple):
    """What a network says of N sequences.

    Attributes:
        embeddings: float32 [N, P, C], or None.
        predictions: name -> [N, ...], those of whole sequences, such as 'diagnosis'; of masks, as
            'mask', the sum over frames of intersections with the true masks over unions, and the
            number of frames, [N, 2].
    """

    embeddings: Any
    predictions: dict[str, Any]


Forward = Callable[[Any, dict[str, jax.Array], jax.Array], Embedded]


class Sequences(Protocol):
    """What is embedded, such as `gaitjax.data.sequences.Sequences`."""

    @property
    def identities(self) -> Any:
        """The names of the persons, str [N]."""

    @property
    def types(self) -> Any:
        """The conditions, str [N]."""

    @property
    def views(self) -> Any:
        """The viewpoints, str [N]."""

    def frames(self, row: int, modalities: Sequence[str]) -> dict[str, np.ndarray]:
        """Modality -> [T, ...], T at least 1 and the same for all."""


class _Padded(NamedTuple):
    """One batch: the positions in the result, modality -> [batch, T, ...], int32 [batch]."""

    positions: list[int]
    inputs: dict[str, np.ndarray]
    lengths: np.ndarray


def forward(
    model: nn.Module,
    prepare: Callable[[dict[str, jax.Array], jax.Array], dict[str, jax.Array]],
    mesh: Mesh,
) -> Forward:
    """The jitted function from raw frames to embeddings; made once, it compiles once per shape.

    Args:
        model: a network as `gaitjax.models` describes it.
        prepare: f(inputs, lengths) from frames as they are stored to what the network reads, as
            `augment.apply` without a key.
        mesh: devices of this process, with one axis 'data'.

    Returns:
        f(variables, inputs, lengths) -> `Embedded`; variables lie on every device, all else is
        split over them.
    """

    def embedded(variables: Any, inputs: dict[str, jax.Array], lengths: jax.Array) -> Embedded:
        return told(model, variables, prepare(inputs, lengths), lengths)

    everywhere, split = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))
    return jax.jit(embedded, in_shardings=(everywhere, split, split), out_shardings=split)


def told(
    model: nn.Module, variables: Any, inputs: dict[str, jax.Array], lengths: jax.Array
) -> Embedded:
    """What a network says of sequences.

    Args:
        model: a network as `gaitjax.models` describes it.
        variables: its parameters and statistics.
        inputs: modality -> [N, T, ...], as the network reads it.
        lengths: [N], frames that count.
    """
    output = model.apply(variables, inputs, lengths, train=False)
    assert isinstance(output, Output)
    found = {k: x for k, x in output.predictions.items() if x.ndim <= SEQUENCE_AXES}
    if MASK in output.predictions and MASK in inputs:
        mask = output.predictions[MASK]
        counts = valid_frames(lengths, mask.shape[1])
        overlap = binary_cross_entropy.overlap(mask, inputs[MASK].astype(mask.dtype))
        sums = jnp.where(counts, overlap, 0).sum(1), counts.sum(1, dtype=overlap.dtype)
        found[MASK] = jnp.stack(sums, 1)
    return Embedded(output.embeddings, found)


def embed(
    forward: Forward,
    variables: Any,
    sequences: Sequences,
    rows: Sequence[int],
    *,
    modalities: Sequence[str],
    transforms: host.Transforms,
    frame_limit: int,
    bucket: int,
    batch: int,
    mesh: Mesh,
) -> Iterator[tuple[list[int], Embedded]]:
    """Embeds sequences whole, several at a time.

    Sequences are padded to their `bucket_length` and gathered by it; a batch leaves as soon as it
    is full. Neither `batch`, `bucket` nor the number of devices has a part in the result, and
    nothing else in who shares a batch. When the first batches are taken out of `rows`, the others
    stay as they are.

    Memory: for each bucket in use less than `batch` sequences that wait, 2 * THREADS sequences
    that are being read, and two batches on the devices.

    Args:
        forward: what `forward` returned.
        variables: of the network.
        sequences: what is read.
        rows: the sequences to embed.
        modalities: which of their modalities the network reads.
        transforms: `config.data.transforms`, of which those of the host act here.
        frame_limit: frames past it are dropped.
        bucket: frames.
        batch: sequences at a time; rounded up to a multiple of the number of devices.
        mesh: the devices, as given to `forward`.

    Yields:
        positions in `rows`, and what the network says of these sequences, in NumPy.

    Raises:
        UserError: for sequences that cannot be read or whose frames differ in shape.
    """
    variables = jax.device_put(jax.tree.map(_local, variables), NamedSharding(mesh, P()))
    size = -(-batch // mesh.size) * mesh.size
    frames = _read_all(sequences, rows, modalities, transforms, frame_limit)
    batches = _batches(progress.bar(frames, total=len(rows), label="embedding"), bucket, size)
    yield from _run(forward, variables, batches, mesh)


def bucket_length(length: int, bucket: int) -> int:
    """The frames that a sequence is padded to: 1, 2, 3, 4, 6, 8, 12, 16, 24, ... times `bucket`.

    Each is compiled once, so there are few: 9 up to 24 buckets. Past 4 buckets less than a third of
    the frames are padding.
    """
    buckets = -(-length // bucket)
    step = 1 << max(0, (buckets - 1).bit_length() - 2)
    return -(-buckets // step) * step * bucket


def collect(batches: Iterable[tuple[list[int], Embedded]], total: int) -> Embedded:
    """What `embed` yields, put in order.

    Args:
        batches: positions, each of 0..total-1 once, and what belongs there.
        total: at least 1.
    """
    result: Embedded | None = None
    for positions, embedded in batches:
        if result is None:
            result = jax.tree.map(lambda x: np.empty((total, *x.shape[1:]), x.dtype), embedded)
        for whole, x in zip(*map(jax.tree.leaves, (result, embedded)), strict=True):
            whole[positions] = x
    assert result is not None, "no rows to embed"
    return result


def _local(x: Any) -> Any:
    """This process's copy of what lies on the devices of all processes."""
    return x if not isinstance(x, jax.Array) or x.is_fully_addressable else x.addressable_data(0)


def _read_all(
    sequences: Sequences,
    rows: Sequence[int],
    modalities: Sequence[str],
    transforms: host.Transforms,
    limit: int,
) -> Iterator[dict[str, np.ndarray]]:
    """Frames of each row by modality, in order, read a little ahead by threads."""

    def read(row: int) -> dict[str, np.ndarray]:
        frames = sequences.frames(row, modalities)
        try:
            return host.in_evaluation(frames, transforms, limit)
        except UserError as error:
            raise UserError(f"{_name(sequences, row)}: {error}") from error

    kinds = None
    for row, frames in zip(rows, ahead(read, rows, THREADS), strict=True):
        own = {modality: f"{x.dtype} {list(x.shape[1:])}" for modality, x in frames.items()}
        kinds = kinds or own
        if own != kinds:
            raise UserError(
                f"the frames of {_name(sequences, rows[0])} are {kinds}, those of "
                f"{_name(sequences, row)} {own}; all need one shape: prepare them alike"
            )
        yield frames


def _name(sequences: Sequences, row: int) -> str:
    return f"{sequences.identities[row]}/{sequences.types[row]}/{sequences.views[row]}"


def _batches(read: Iterable[dict[str, np.ndarray]], bucket: int, size: int) -> Iterator[_Padded]:
    waiting = collections.defaultdict(list)
    for position, frames in enumerate(read):
        length = bucket_length(len(next(iter(frames.values()))), bucket)
        waiting[length].append((position, frames))
        if len(waiting[length]) == size:
            yield _pad(waiting.pop(length), length, size)
    for length, rest in waiting.items():
        yield _pad(rest, length, size)


def _pad(items: list[tuple[int, dict[str, np.ndarray]]], length: int, size: int) -> _Padded:
    """Frames to `length`, the batch to `size`; places that are left over hold copies."""
    positions, frames = zip(*items, strict=True)
    filled = [frames[i % len(frames)] for i in range(size)]
    inputs = {}
    for modality, first in frames[0].items():
        inputs[modality] = np.zeros((size, length, *first.shape[1:]), first.dtype)
        for row, sequence in zip(inputs[modality], filled, strict=True):
            row[: len(sequence[modality])] = sequence[modality]
    lengths = np.array([len(next(iter(sequence.values()))) for sequence in filled], np.int32)
    return _Padded(list(positions), inputs, lengths)


def _run(
    forward: Forward, variables: Any, batches: Iterable[_Padded], mesh: Mesh
) -> Iterator[tuple[list[int], Embedded]]:
    """Yields each batch's embeddings when the next is on its way, so that devices never wait."""
    running = None
    for positions, inputs, lengths in batches:
        placed = jax.device_put((inputs, lengths), NamedSharding(mesh, P("data")))
        started = positions, forward(variables, *placed)
        if running is not None:
            yield _fetch(*running)
        running = started
    if running is not None:
        yield _fetch(*running)


def _fetch(positions: list[int], embedded: Embedded) -> tuple[list[int], Embedded]:
    """Waits for a batch, and leaves out what only fills it up."""
    fetched: Embedded = jax.tree.map(lambda x: x[: len(positions)], jax.device_get(embedded))
    return positions, fetched
