import dataclasses
import itertools
import subprocess
import sys
import threading
import time

import jax
import numpy as np
import pytest

from gaitjax import pickles
from gaitjax.data import pipeline
from gaitjax.data.samplers import EpochSampler, PKSampler
from gaitjax.data.sequences import Sequences
from gaitjax.data.store import pack
from gaitjax.data.tree import scan
from gaitjax.errors import UserError

FRAMES = {
    "sampling": "fixed",
    "order": "unordered",
    "number": 6,
    "minimum": 3,
    "maximum": 8,
    "skip": 2,
    "limit": 9,
}
FILES = {"silhouette": "sil.pkl", "pose": "pose.pkl"}
SEQUENCES, LENGTH = 24, 12


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    """Six identities with four sequences each; a pixel says which sequence and frame it is of."""
    root = tmp_path_factory.mktemp("tree")
    for i in range(SEQUENCES):
        folder = root / f"{i // 4:03}" / f"nm-{i % 4:02}" / "000"
        folder.mkdir(parents=True)
        frames = np.zeros((LENGTH, 8, 6), np.uint8)
        frames[:, :, 0], frames[:, :, 1] = i + 1, np.arange(1, LENGTH + 1)[:, None]
        pickles.write(folder / "sil.pkl", frames)
        pickles.write(folder / "pose.pkl", np.arange(LENGTH * 51.0).reshape(LENGTH, 17, 3))
    return opened(root)


def opened(root):
    """All sequences of a tree."""
    return Sequences(scan(root, FILES), np.arange(len(list(root.glob("*/*/*")))))


def batches(train, steps=3, *, sampler=None, modalities=("silhouette",), **options):
    """The first batches of a run."""
    fields = {k: options.pop(k) for k in list(options) if k in FRAMES}
    seed = options.setdefault("seed", 5)
    generator = pipeline.training_batches(
        train,
        sampler or PKSampler(train.labels()[0], identities=3, sequences=4, seed=seed),
        {**FRAMES, **fields},
        modalities,
        options.pop("transforms", {}),
        **{"first_step": 0, "share": (0, 1), "threads": 2, "prefetch": 1, **options},
    )
    taken = list(itertools.islice(generator, steps))
    generator.close()
    return taken


def equal(ours, theirs):
    jax.tree.map(np.testing.assert_array_equal, ours, theirs)


@pytest.mark.parametrize("sampling", ["fixed", "unfixed", "all"])
@pytest.mark.parametrize("order", ["ordered", "unordered"])
def test_a_batch_is_what_sampler_and_files_say(train, sampling, order):
    sampler = PKSampler(train.labels()[0], identities=3, sequences=4, seed=5)
    for step, batch in enumerate(batches(train, sampling=sampling, order=order)):
        silhouettes, lengths = batch.inputs["silhouette"], batch.lengths
        rows = sampler.rows(step)
        time = {"fixed": 6, "unfixed": 8, "all": 9}[sampling]
        assert silhouettes.shape == (12, time, 8, 6)
        assert (silhouettes.dtype, lengths.dtype) == (np.uint8, np.int32)
        np.testing.assert_array_equal(batch.labels["identity"], train.labels()[0][rows])
        for row, sequence, length in zip(rows, silhouettes, lengths, strict=True):
            assert (sequence[:length, :, 0] == row + 1).all()
            assert (sequence[:length, :, 1] >= 1).all()
            assert not sequence[length:].any()


def test_a_batch_has_every_label(train):
    names = {"walk": {f"nm-{i:02}": i for i in range(4)}}
    sampler = PKSampler(train.labels()[0], identities=3, sequences=4, seed=5)
    batch = batches(dataclasses.replace(train, classes=names), 1)[0]
    np.testing.assert_array_equal(batch.labels["walk"], sampler.rows(0) % 4)


def test_lengths_are_those_of_the_sampling(train):
    lengths = np.concatenate([b.lengths for b in batches(train, steps=20, sampling="unfixed")])
    assert set(lengths.tolist()) == set(range(3, 9))
    assert (batches(train, 1, sampling="fixed")[0].lengths == 6).all()
    assert (batches(train, 1, sampling="all")[0].lengths == 9).all()


def test_modalities_have_the_same_frames(train):
    for batch in batches(train, modalities=("silhouette", "pose"), sampling="unfixed"):
        pose = batch.inputs["pose"]
        assert pose.dtype == np.float32
        assert pose.shape == (12, 8, 17, 3)
        number = batch.inputs["silhouette"][:, :, 0, 1].astype(int)
        np.testing.assert_array_equal(pose[..., 0, 0], np.where(number, (number - 1) * 51, 0))


@pytest.mark.parametrize("processes", [2, 3, 12])
def test_slices_of_all_processes_make_up_the_batch_of_one(train, processes):
    whole = batches(train, sampling="unfixed")
    slices = [batches(train, sampling="unfixed", share=(i, processes)) for i in range(processes)]
    for step in range(3):
        joined = jax.tree.map(lambda *parts: np.concatenate(parts), *[s[step] for s in slices])
        equal(joined, whole[step])


@pytest.mark.parametrize(("threads", "prefetch"), [(1, 1), (4, 1), (1, 8), (16, 16)])
def test_threads_change_nothing(train, threads, prefetch):
    equal(batches(train, 9, threads=threads, prefetch=prefetch), batches(train, 9))


def test_a_restart_goes_on_with_the_same_batches(train):
    equal(batches(train, 3, first_step=4), batches(train, 7)[4:])
    far = 10**9
    equal(
        batches(train, 2, first_step=far),
        [batches(train, 1, first_step=far + i)[0] for i in (0, 1)],
    )


def test_seeds_steps_and_slots_draw_on_their_own(train):
    def drawn(batch):
        return batch.inputs["silhouette"][:, :, 0, :2].tolist()

    first, second = batches(train, 2)
    other = batches(train, 1, seed=6)[0]
    assert drawn(first) != drawn(second) != drawn(other) != drawn(first)

    class Same(PKSampler):
        def rows(self, step):
            return np.zeros(12, np.int64)

    same = Same(train.labels()[0], identities=3, sequences=4, seed=5)
    slots = [frame for b in batches(train, 2, sampler=same) for frame in drawn(b)]
    assert len({str(frames) for frames in slots}) == 24


def wait_for(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)


class Recorder(PKSampler):
    """Remembers the steps that were asked for."""

    def rows(self, step):
        self.asked.append(step)
        return super().rows(step)


@pytest.mark.parametrize(("threads", "prefetch"), [(1, 1), (2, 3)])
def test_no_more_batches_are_read_ahead_than_promised(train, threads, prefetch):
    sampler = Recorder(train.labels()[0], identities=3, sequences=4, seed=5)
    sampler.asked = []
    generator = pipeline.training_batches(
        train, sampler, FRAMES, ("silhouette",), {}, 5, 0, (0, 1), threads, prefetch
    )
    for taken in range(1, 4):
        next(generator)
        promised = list(range(taken + threads + prefetch))
        wait_for(lambda: len(sampler.asked) >= len(promised))  # noqa: B023
        time.sleep(0.1)  # were it to read on, it would now
        assert sorted(sampler.asked) == promised
    generator.close()


def readers():
    return [t for t in threading.enumerate() if t.name.startswith("grain-prefetch")]


@pytest.mark.parametrize("end", ["close", "drop", "fail"])
def test_threads_end_with_the_generator(train, end):
    others = set(readers())
    labels = train.labels()[0]
    sampler = PKSampler(labels, identities=3, sequences=4, seed=0)
    modality = "depth" if end == "fail" else "silhouette"
    generator = pipeline.training_batches(
        train, sampler, FRAMES, (modality,), {}, 0, 0, (0, 1), 3, 2
    )
    if end == "fail":
        with pytest.raises(UserError, match="asks for 'depth'"):
            next(generator)
    else:
        next(generator)
        assert set(readers()) - others
        generator.close() if end == "close" else None
    del generator
    wait_for(lambda: not set(readers()) - others)
    assert not set(readers()) - others


SCRIPT = """
import pathlib
import sys
from absl import flags
import numpy as np
from gaitjax.data import pipeline
from gaitjax.data.samplers import PKSampler
from gaitjax.data.sequences import Sequences
from gaitjax.data.tree import open_tree

flags.FLAGS.mark_as_parsed()
tree = open_tree(pathlib.Path(sys.argv[1]), {"silhouette": "sil.pkl"})
train = Sequences(tree, np.array([0, 5]))
sampler = PKSampler(np.arange(2), 2, 50, 0)
frames = dict(sampling="fixed", order="ordered", number=9, minimum=1, maximum=1, skip=0, limit=1)
batches = pipeline.training_batches(train, sampler, frames, ("silhouette",), {}, 0, 0, (0, 1), 4, 2)
print(len(next(batches).lengths))
"""


def test_a_script_that_just_ends_does_end(train):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(train.source.root)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "100\n", "")


def test_the_share_must_divide_the_batch(train):
    with pytest.raises(UserError, match=r"makes 12 sequences a batch, which 5 processes cannot"):
        batches(train, share=(0, 5))


def test_frames_that_mean_nothing_are_said_at_once(train):
    with pytest.raises(UserError, match=r"config\.data\.frames\.sampling"):
        batches(train, steps=0, sampling="some")


def copied(train, tmp_path):
    """The first two sequences of the tree in one of their own."""
    folders = []
    for row in range(2):
        folders.append(tmp_path / f"{row}/nm/000")
        folders[-1].mkdir(parents=True)
        pickles.write(folders[-1] / "sil.pkl", train.read(row, "silhouette"))
    return opened(tmp_path), folders


def test_a_broken_file_is_named(train, tmp_path):
    two, folders = copied(train, tmp_path)
    (folders[1] / "sil.pkl").write_bytes(b"")
    with pytest.raises(UserError, match=r"^.*/1/nm/000/sil\.pkl is empty"):
        batches(two, sampler=PKSampler(np.arange(2), 2, 1, 0))


@pytest.mark.parametrize("other", [np.ones((9, 8, 8), np.uint8), np.ones((9, 4, 4), np.uint8)])
def test_frames_of_two_shapes_are_named(train, tmp_path, other):
    two, folders = copied(train, tmp_path)
    pickles.write(folders[1] / "sil.pkl", other)
    with pytest.raises(UserError) as error:
        batches(two, sampler=PKSampler(np.arange(2), 2, 1, 0))
    for part in (
        str(folders[0]),
        str(folders[1]),
        "uint8 [8, 6]",
        f"uint8 {list(other.shape[1:])}",
    ):
        assert part in str(error.value)


@pytest.mark.parametrize("sampling", ["fixed", "unfixed", "all"])
@pytest.mark.parametrize("order", ["ordered", "unordered"])
def test_a_packed_store_gives_the_same_batches(train, tmp_path, sampling, order):
    packed = Sequences(pack(train.source.root, tmp_path, FILES), train.rows)
    options = {"modalities": ("pose", "silhouette"), "sampling": sampling, "order": order}
    equal(batches(packed, **options), batches(train, **options))


class Counted(Sequences):
    """Remembers which sequences were read."""

    def frames(self, row, modalities):
        read.append(row)
        return super().frames(row, modalities)


read = []


def test_the_two_views_of_a_sequence_are_read_once(train):
    sampler = EpochSampler(SEQUENCES, 6, seed=0, views=2)
    batch = batches(Counted(train.source, train.rows), 1, sampler=sampler, prefetch=1, threads=1)[0]
    assert read[:6] == sampler.rows(0)[::2].tolist()
    which, drawn = (batch.inputs["silhouette"][:, :, 0, i] for i in (0, 1))
    np.testing.assert_array_equal(which[::2], which[1::2])
    assert (drawn[::2] != drawn[1::2]).any()


STREAMS = {
    "pose": (
        {"type": "point_noise", "std": 0.5},
        {"type": "random_window", "number": 3},
        {"type": "pose_streams"},
    ),
    "silhouette": ({"type": "random_window", "number": 3},),
}


@pytest.mark.parametrize("sampling", ["fixed", "unfixed"])
def test_the_host_transforms_the_chosen_frames(train, sampling):
    options = {"sampling": sampling, "modalities": ("silhouette", "pose")}
    made = batches(train, transforms=STREAMS, **options)
    for plain, batch in zip(batches(train, **options), made, strict=True):
        assert batch.inputs["pose"].shape == (12, 3, 17, 3, 5)
        assert batch.inputs["pose"].dtype == np.float32
        assert (batch.lengths == 3).all()
        poses, frames = (x.inputs["silhouette"][:, :, 0, 1] for x in (plain, batch))
        for row, (all_of_it, window) in enumerate(zip(poses, frames, strict=True)):
            start = all_of_it.tolist().index(window[0])
            np.testing.assert_array_equal(all_of_it[start : start + 3], window)
            joints = plain.inputs["pose"][row, start : start + 3, :, :2]
            noise = batch.inputs["pose"][row, :, :, 0, :2] - joints
            assert 0.3 < noise.std() < 0.7


def test_transforms_draw_the_same_on_two_processes_and_after_a_restart(train):
    options = {"modalities": ("silhouette", "pose"), "transforms": STREAMS}
    whole = batches(train, **options)
    parts = [batches(train, share=(i, 2), threads=1, **options) for i in (0, 1)]
    joined = [
        jax.tree.map(lambda *x: np.concatenate(x), *both) for both in zip(*parts, strict=True)
    ]
    equal(joined, whole)
    equal(batches(train, 1, first_step=2, **options), whole[2:])


def test_a_sequence_that_cannot_be_transformed_is_named(train):
    listed = {"pose": ({"type": "pose_streams", "skeleton": "openpose"},)}
    with pytest.raises(UserError, match=r"/nm-0\d/000: there are 17 joints; the skeleton openpose"):
        batches(train, modalities=("pose",), transforms=listed)
