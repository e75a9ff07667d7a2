import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType

from gaitjax.errors import UserError
from gaitjax.evaluation import embed
from gaitjax.evaluation.embed import Embedded
from gaitjax.models import Output

LENGTHS = [3, 9, 1, 20, 8, 5, 12, 4, 7, 16, 2, 11, 6]


class Walkers:
    """Sequences of random frames of the given lengths; counts what has been read."""

    def __init__(self, lengths, size=(4, 6)):
        self.identities = self.types = self.views = [f"{i:03}" for i in range(len(lengths))]
        self.lengths, self.size = lengths, size
        self.reads = 0

    def frames(self, row, modalities):
        self.reads += 1
        rng = np.random.default_rng(row)
        shape = (self.lengths[row], *self.size)
        return {modality: rng.integers(0, 256, shape, dtype=np.uint8) for modality in modalities}


class Net(nn.Module):
    """Two parts: the largest and the mean feature over the valid frames."""

    @nn.compact
    def __call__(self, inputs, lengths, *, train, draws=None):
        x = jnp.concatenate([inputs["a"], inputs["b"]], -1)
        x = nn.Dense(5)(x.reshape(*x.shape[:2], -1))
        valid = (jnp.arange(x.shape[1]) < lengths[:, None])[..., None]
        mean = jnp.where(valid, x, 0).sum(1) / lengths[:, None]
        return Output(jnp.stack([jnp.where(valid, x, -jnp.inf).max(1), mean], 1))


def mesh(devices):
    axes = {"axis_types": (AxisType.Auto,), "devices": jax.devices()[:devices]}
    return jax.make_mesh((devices,), ("data",), **axes)


def scale(inputs, lengths):
    return {modality: x / 255.0 for modality, x in inputs.items()}


@functools.cache
def variables():
    frames = {"a": jnp.zeros((1, 1, 4, 6)), "b": jnp.zeros((1, 1, 4, 6))}
    return Net().init(jax.random.key(0), frames, jnp.ones(1, jnp.int32), train=False)


def run(sequences, rows=None, **how):
    rows = range(len(sequences.lengths)) if rows is None else rows
    return embed.collect(started(sequences, rows, **how), len(rows)).embeddings


def started(sequences, rows, *, batch, bucket, devices, frame_limit=15, prepare=scale):
    devices = mesh(devices)
    return embed.embed(
        embed.forward(Net(), prepare, devices),
        variables(),
        sequences,
        rows,
        modalities=("a", "b"),
        transforms={},
        frame_limit=frame_limit,
        bucket=bucket,
        batch=batch,
        mesh=devices,
    )


@functools.cache
def alone(row, frame_limit=15):
    """The embedding of a sequence that is not padded, in a batch of its own."""
    read = Walkers(LENGTHS).frames(row, ("a", "b"))
    frames = {modality: x[None, :frame_limit] for modality, x in read.items()}
    lengths = jnp.array([len(frames["a"][0])])
    return Net().apply(variables(), scale(frames, lengths), lengths, train=False).embeddings[0]


@pytest.mark.parametrize(
    ("batch", "bucket", "devices"), [(1, 1, 1), (4, 8, 1), (50, 32, 1), (4, 8, 8), (13, 1, 8)]
)
def test_batch_bucket_and_devices_do_not_change_an_embedding(batch, bucket, devices):
    found = run(Walkers(LENGTHS), batch=batch, bucket=bucket, devices=devices)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [alone(i) for i in range(len(LENGTHS))], atol=1e-5)


@pytest.mark.parametrize("devices", [1, 8])
def test_without_the_first_batches_the_others_are_the_same(devices):
    def batches(rows):
        return [
            (np.array(rows)[positions], embedded.embeddings)
            for positions, embedded in started(
                Walkers(LENGTHS), rows, batch=2, bucket=4, devices=devices
            )
        ]

    whole = batches(list(range(len(LENGTHS))))
    for first in range(1, len(whole)):
        taken = np.concatenate([rows for rows, _ in whole[:first]])
        rest = batches(np.setdiff1d(np.arange(len(LENGTHS)), taken).tolist())
        for (a, x), (b, y) in zip(whole[first:], rest, strict=True):
            np.testing.assert_array_equal(a, b)
            assert x.tobytes() == y.tobytes()


def test_rows_are_embedded_in_their_order():
    rows = [11, 2, 3, 2]
    found = run(Walkers(LENGTHS), rows, batch=2, bucket=4, devices=1)
    np.testing.assert_allclose(found, [alone(i) for i in rows], atol=1e-5)


def test_the_network_is_compiled_once_for_a_bucket():
    shapes = []

    def prepare(inputs, lengths):
        shapes.append(inputs["a"].shape)  # runs while tracing only
        return scale(inputs, lengths)

    run(Walkers(LENGTHS), batch=3, bucket=8, devices=1, frame_limit=24, prepare=prepare)
    assert sorted(shapes) == [(3, 8, 4, 6), (3, 16, 4, 6), (3, 24, 4, 6)]


def test_few_lengths_are_compiled_and_few_frames_are_padding():
    lengths = np.arange(1, 769)
    padded = np.array([embed.bucket_length(length, 32) for length in lengths.tolist()])
    assert np.unique(padded).tolist() == [32, 64, 96, 128, 192, 256, 384, 512, 768]
    assert (padded >= lengths).all()
    assert ((padded - lengths)[128:] < padded[128:] / 3).all()


def test_no_more_is_read_than_the_next_batches_need():
    sequences = Walkers([4] * 60)
    ahead = []

    def forward(variables, inputs, lengths):
        ahead.append(sequences.reads - 5 * len(ahead))
        return Embedded(jnp.zeros((len(lengths), 1, 1)), {})

    batches = embed.embed(
        forward,
        {},
        sequences,
        range(60),
        modalities=("a", "b"),
        transforms={},
        frame_limit=9,
        bucket=4,
        batch=5,
        mesh=mesh(1),
    )
    embed.collect(batches, 60)
    assert len(ahead) == 12
    assert max(ahead) <= 5 + 2 * embed.THREADS


def test_frames_of_another_shape_are_named():
    class Mixed(Walkers):
        def frames(self, row, modalities):
            width = 5 if row == 1 else 6
            return {m: x[..., :width] for m, x in super().frames(row, modalities).items()}

    with pytest.raises(UserError, match=r"000/000/000 .*\[4, 6\].*001/001/001 .*\[4, 5\]"):
        run(Mixed([3, 4, 3]), batch=2, bucket=4, devices=1)


def test_an_error_of_a_file_comes_through():
    class Broken(Walkers):
        def frames(self, row, modalities):
            raise UserError("the file and its cause")

    with pytest.raises(UserError, match="the file and its cause"):
        run(Broken([3, 4, 3]), batch=2, bucket=4, devices=1)


class Segmenting(nn.Module):
    """Finds all that is brighter than 0."""

    @nn.compact
    def __call__(self, inputs, lengths, *, train, draws=None):
        mask = (inputs["rgb"] > 0).astype(jnp.float32)
        return Output(None, {"mask": mask, "sure": jnp.ones(len(lengths))})


def test_masks_become_sums_over_the_frames_that_count():
    rgb = np.array([[[[1, 1, 0]], [[1, 0, 0]], [[1, 1, 1]]]] * 2, np.float32)  # [2, 3, 1, 3]
    mask = np.array([[[[1, 0, 0]], [[1, 0, 0]], [[0, 0, 1]]]] * 2, np.uint8)
    told = embed.told(Segmenting(), {}, {"rgb": rgb, "mask": mask}, np.array([3, 2]))
    np.testing.assert_allclose(told.predictions["mask"], [[1 / 2 + 1 + 1 / 3, 3], [1 / 2 + 1, 2]])
    assert told.predictions["sure"].shape == (2,)
    assert told.embeddings is None
    assert embed.told(Segmenting(), {}, {"rgb": rgb}, np.array([3, 2])).predictions.keys() == {
        "sure"
    }
