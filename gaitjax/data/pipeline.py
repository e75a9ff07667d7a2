"""Training batches, read ahead by Grain."""

import dataclasses
import itertools
import sys
from collections.abc import Generator, Mapping, Sequence
from typing import Any

import grain
import numpy as np

from gaitjax.data import frames as frame_choice
from gaitjax.data import transforms as host
from gaitjax.data.batch import Array, Batch
from gaitjax.data.samplers import Sampler
from gaitjax.data.sequences import Sequences
from gaitjax.errors import UserError


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
    threads + prefetch + 1 batches are in memory, beside the one that the caller holds; one that is
    being read takes up to twice its size. Closing or dropping the generator stops the reading.

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
        samples = []
        for row, places in itertools.groupby(zip(rows, self.slots, strict=True), lambda x: x[0]):
            arrays = self.sequences.frames(row, self.modalities)  # once for all views of it
            try:
                arrays = host.of_sequence(arrays, self.transforms)
                samples += [self._sample(step, slot, arrays) for _, slot in places]
            except UserError as error:
                raise UserError(f"{self.sequences.folder(row)}: {error}") from error
        inputs: dict[str, Array] = {
            m: self._padded([s[m] for s in samples], rows) for m in self.modalities
        }
        lengths = np.array([len(s[self.modalities[0]]) for s in samples], np.int32)
        return Batch(inputs, lengths, {label: x[rows] for label, x in self.labels.items()})

    def _sample(
        self, step: int, slot: int, arrays: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """The frames that a sequence has in this place of the batch, as the host leaves them."""
        # slot + 1: numpy takes (seed, step, 0) for (seed, step), which the sampler draws from
        key = (self.seed, step, slot + 1)
        length = len(arrays[self.modalities[0]])
        chosen = frame_choice.choose(length, self.frames, np.random.default_rng(key))
        frames = {modality: array[chosen] for modality, array in arrays.items()}
        return host.of_frames(frames, self.transforms, key)

    def _padded(self, samples: list[np.ndarray], rows: np.ndarray) -> np.ndarray:
        """One array [N, T, ...] of sequences of several lengths, zeros behind their ends."""
        kinds = [(sample.dtype, sample.shape[1:]) for sample in samples]
        for row, kind in zip(rows, kinds, strict=True):
            if kind != kinds[0]:
                first, other = (f"{dtype} {list(shape)}" for dtype, shape in (kinds[0], kind))
                raise UserError(
                    f"the frames of {self.sequences.folder(rows[0])} are {first}, those of "
                    f"{self.sequences.folder(row)} {other}; a batch needs one shape: prepare all "
                    "sequences alike"
                )
        time = frame_choice.padded_length(self.frames)
        time = host.longest(self.transforms, self.modalities, time)
        batch = np.zeros((len(samples), time, *samples[0].shape[1:]), samples[0].dtype)
        for row, sample in zip(batch, samples, strict=True):
            row[: len(sample)] = sample
        return batch
