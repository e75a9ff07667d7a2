"""Training batches, read ahead by Grain."""

import dataclasses
import itertools
import sys
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import grain
import numpy as np

from gaitjax.data import frames as frame_choice
from gaitjax.data import transforms as host
from gaitjax.data.batch import Batch
from gaitjax.data.samplers import Sampler
from gaitjax.data.sequences import Sequences
from gaitjax.errors import UserError

OF_FRAMES = 1  # the choice of frames follows from (seed, step, OF_FRAMES), no other draw does


def training_batches(
    sequences: Sequences,
    sampler: Sampler,
    frames: Mapping[str, Any],
    modalities: Sequence[str],
    transforms: host.Transforms,
    seed: int,
    first_step: int,
    share: tuple[int, int],
    threads: int,
    prefetch: int,
) -> Generator[Batch, None, None]:
    """The batches of the steps from `first_step` on, without end.

    The batch of a step depends on the seed and the step alone: the slices of all processes make up
    the batch of one process, for any number of threads and after any restart. At most
    threads + prefetch + 1 batches are in memory, beside the one that the caller holds, and a whole
    sequence for each thread. Closing or dropping the generator stops the reading.

    Args:
        sequences: the training split.
        sampler: draws the rows of a step.
        frames: the fields of `config.data.frames`.
        modalities: what is read of each sequence.
        transforms: `config.data.transforms`, of which those of the host act here.
        seed: of the choice of frames and of random transforms, not negative.
        first_step: the step of the first batch; steps done, when a run is resumed.
        share: (this process, number of processes): each loads its own slice of the rows.
        threads: how many batches are read at the same time.
        prefetch: how many more are read ahead.

    Returns:
        Batches of sampler.batch / processes rows, padded with zeros to `frames.padded_length`, or
        to the longest window of the transforms; images are uint8, floats float32.

    Raises:
        UserError: if the batch is no multiple of the number of processes, or `frames` makes no
            sense; on iteration, for files that are broken or do not fit together.
    """
    rows = sampler.batch
    process, processes = share
    if rows % processes:
        raise UserError(
            f"config.data.sampler makes {rows} sequences a batch, which {processes} processes "
            f"cannot share; make identities x sequences a multiple of {processes}"
        )
    slots = range(process * rows // processes, (process + 1) * rows // processes)
    frame_choice.check(frames)
    labels = sequences.all_labels()
    source = _Batches(
        sequences, labels, sampler, dict(frames), tuple(modalities), transforms, seed, slots
    )
    options = grain.ReadOptions(num_threads=threads, prefetch_buffer_size=threads + prefetch)
    return _iterate(grain.MapDataset.source(source).to_iter_dataset(options), first_step)


def _iterate(batches: grain.IterDataset[Batch], first_step: int) -> Generator[Batch, None, None]:
    iterator = iter(batches)
    iterator.set_state({"next_index": first_step})
    try:
        yield from iterator
    finally:
        iterator.close()


@dataclasses.dataclass(frozen=True)
class _Batches:
    """The batch of every step, as a Grain source."""

    sequences: Sequences
    labels: Mapping[str, np.ndarray]  # label -> int32 [N], of all sequences
    sampler: Sampler
    frames: Mapping[str, Any]
    modalities: tuple[str, ...]
    transforms: host.Transforms
    seed: int
    slots: range  # this process's places in the global batch

    def __len__(self) -> int:
        return sys.maxsize

    def __getitem__(self, step: int) -> Batch:
        rows = self.sampler.rows(step)[self.slots.start : self.slots.stop]
        # Of all processes, so that a place has the same draws however many there are.
        rng = np.random.default_rng((self.seed, step, OF_FRAMES))
        draws = rng.random((self.sampler.batch, frame_choice.draws_needed(self.frames)))
        inputs: dict[str, np.ndarray] = {}
        lengths = np.empty(len(rows), np.int32)
        for row, places in itertools.groupby(range(len(rows)), rows.tolist().__getitem__):
            for place, chosen, arrays in self._samples(step, row, places, draws):
                lengths[place] = len(chosen)
                for modality, array in arrays.items():
                    if modality not in inputs:
                        inputs[modality] = self._empty(len(rows), array)
                    batch = inputs[modality]
                    if (array.dtype, array.shape[1:]) != (batch.dtype, batch.shape[2:]):
                        raise self._unlike(rows[0], batch[0], row, array)
                    batch[place, len(chosen) :] = 0
                    # "clip": straight into the batch; as it is, numpy goes through a buffer
                    np.take(array, chosen, 0, batch[place, : len(chosen)], "clip")
        return Batch(dict(inputs), lengths, {label: x[rows] for label, x in self.labels.items()})

    def _samples(
        self, step: int, row: int, places: Iterable[int], draws: np.ndarray
    ) -> Iterator[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
        """A sequence in its places of the batch: place, frames that belong there, and of what."""
        arrays = self.sequences.frames(row, self.modalities)  # once for all views of it
        length = len(arrays[self.modalities[0]])
        try:
            arrays = host.of_sequence(arrays, self.transforms)
            for place in places:
                slot = self.slots[place]
                chosen = frame_choice.choose(length, self.frames, draws[slot].tolist())
                if not host.acts(self.transforms):
                    yield place, chosen, arrays
                    continue
                frames = {modality: array[chosen] for modality, array in arrays.items()}
                # slot + 1: numpy takes a last 0 for none
                frames = host.of_frames(frames, self.transforms, (self.seed, step, slot + 1))
                yield place, np.arange(len(frames[self.modalities[0]])), frames
        except UserError as error:
            raise UserError(f"{self.sequences.folder(row)}: {error}") from error

    def _empty(self, rows: int, array: np.ndarray) -> np.ndarray:
        """Room for frames as those of an array, [rows, T, ...]."""
        time = frame_choice.padded_length(self.frames)
        time = host.longest(self.transforms, self.modalities, time)
        return np.empty((rows, time, *array.shape[1:]), array.dtype)

    def _unlike(self, row: int, frames: np.ndarray, other: int, others: np.ndarray) -> UserError:
        """What to say of two sequences whose frames differ in shape or data type."""
        kind, other_kind = (f"{x.dtype} {list(x.shape[1:])}" for x in (frames, others))
        return UserError(
            f"the frames of {self.sequences.folder(row)} are {kind}, those of "
            f"{self.sequences.folder(other)} {other_kind}; a batch needs one shape: prepare all "
            "sequences alike"
        )
