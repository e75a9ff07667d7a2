"""Several sets as one: whose people are whose, and a run on two of them."""

import json

import numpy as np
import pytest
import tiny

from configs import common
from gaitjax import pickles
from gaitjax.data import mixture
from gaitjax.errors import UserError
from gaitjax.training import experiment as experiments
from gaitjax.training import loop
from gaitjax.training import mesh as meshes


@pytest.fixture
def roots(tmp_path):
    """Two trees of people with the same names, whose pixels say the set and the identity."""
    made = []
    for number, people in enumerate((3, 5)):
        root = tmp_path / f"set-{number}"
        names = [f"{i:03}" for i in range(people)]
        for i, name in enumerate(names):
            for type_ in ("nm-01", "nm-02"):
                folder = root / name / type_ / "000"
                folder.mkdir(parents=True)
                pickles.write(folder / "000.pkl", np.full((6, 8, 8), 100 * number + i, np.uint8))
        content = {"TRAIN_SET": names[:-1], "TEST_SET": names[-1:]}
        (root / "partition.json").write_text(json.dumps(content))
        made.append(root)
    return made


def sets_of(roots, *weights):
    return tuple(("folder", str(root), w) for root, w in zip(roots, weights, strict=True))


def test_people_of_the_same_name_in_two_sets_are_two(roots):
    joined, drawn, lines = mixture.open_sets(sets_of(roots, 0, 0))
    labels, names = joined.labels()
    assert names == [f"0-folder-00{i}" for i in range(2)] + [f"1-folder-00{i}" for i in range(4)]
    assert joined.types.tolist() == ["nm-01", "nm-02"] * 6
    pixels = [int(joined.frames(row, ["silhouette"])["silhouette"][0, 0, 0]) for row in range(12)]
    assert pixels == [0, 0, 1, 1, 100, 100, 101, 101, 102, 102, 103, 103]
    assert labels.tolist() == np.repeat(np.arange(6), 2).tolist()
    assert joined.folder(4) == str(roots[1] / "000/nm-01/000")
    assert joined.has(11, "silhouette")
    some = joined.select(np.array([5, 0]))
    sizes = some.source.sizes(some.rows, "silhouette").tolist()
    files = [roots[1] / "000/nm-02/000/000.pkl", roots[0] / "000/nm-01/000/000.pkl"]
    assert sizes == [file.stat().st_size for file in files]
    (a, first), (b, second) = drawn
    assert (a, b) == (4, 8)
    assert second / first == pytest.approx(2 ** (1 / 3))
    assert any("2 of 2 identities" in line for line in lines)


def test_a_set_that_is_none_is_refused(roots):
    with pytest.raises(UserError, match=r"sets\[0\] is .*; expected \(dataset, root, weight\)"):
        mixture.open_sets((("folder", str(roots[0])),))
    (roots[1] / "partition.json").unlink()
    with pytest.raises(UserError, match=r"or put it into .*set-1 as partition\.json"):
        mixture.open_sets(sets_of(roots, 1, 1))


def small(roots, weights=(0, 0)):
    """A config of two steps on two sets, tested on the first."""
    config = common.base("folder")
    config.network = "tests.any_modality"
    config.losses.triplet = {"type": "triplet", "margin": 0.2, "per_identity": 4}
    config.data.update(root=str(roots[0]), sets=sets_of(roots, *weights), threads=1)
    config.data.transforms = {"silhouette": ({"type": "random_window", "number": 3},)}
    config.data.sampler.update(identities=2, sequences=4)
    config.data.frames.number = 5
    config.train.update(steps=2, log_every=1, image_every=0)
    config.evaluation.protocol.update(gallery=("nm-01",), probes=("NM=nm-02",))
    return config


def test_batches_are_of_one_set_and_the_same_after_a_restart(roots, tmp_path):
    data = experiments.open_data(small(roots), tmp_path)
    assert data.classes == {"identity": 6}
    assert data.splits.test.folder(0).startswith(str(roots[0]))
    training = experiments.build_training(small(roots), data, meshes.all_devices())
    batches = training.batches(0)
    first = [next(batches) for _ in range(6)]
    resumed = training.batches(3)
    for batch in first[3:]:
        again = next(resumed)
        np.testing.assert_array_equal(batch.inputs["silhouette"], again.inputs["silhouette"])
        np.testing.assert_array_equal(batch.labels["identity"], again.labels["identity"])
    kinds = set()
    for batch in first:
        pixels = batch.inputs["silhouette"]
        assert pixels.shape == (8, 3, 8, 8)
        which = np.unique(pixels // 100)
        assert len(which) == 1
        kinds |= set(which.tolist())
        labels = pixels[:, 0, 0, 0] % 100 + 2 * which[0]
        np.testing.assert_array_equal(batch.labels["identity"], labels)
    assert kinds == {0, 1}


def test_two_steps_on_two_sets_are_one_and_one_more(roots, tmp_path):
    config = small(roots, (1, 3))
    loop.train(config, tmp_path / "whole", tmp_path)
    config.train.steps = 1
    loop.train(config, tmp_path / "parts", tmp_path)
    config.train.steps = 2
    loop.train(config, tmp_path / "parts", tmp_path)
    whole, parts = (tiny.saved(tmp_path / name, 2) for name in ("whole", "parts"))
    assert tiny.same_bits(whole, parts)
    assert (tmp_path / "whole" / "evaluation-2.json").exists()
    config.data.sets = sets_of(roots, 3, 1)
    with pytest.raises(UserError, match=r"differs from this one: config\.data\.sets"):
        loop.train(config, tmp_path / "parts", tmp_path)
