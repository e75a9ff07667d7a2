"""Parameters that are not trained, and dropout, through whole steps."""

import functools
from pathlib import Path

import jax
import numpy as np
import pytest
import tiny
from jax.sharding import AxisType

from gaitjax.errors import UserError
from gaitjax.training import experiment, parameters
from gaitjax.training import mesh as meshes
from tests.training import dropping

STEM = ("stem/*", "norm/scale")


def build(
    tree: Path, freeze: tuple[str, ...] = STEM, devices: int = 1, dtype: str = "float32"
) -> experiment.Training:
    config = dropping.use(tiny.config(tree))
    config.freeze, config.dtype = freeze, dtype
    chosen = jax.devices()[:devices]
    mesh = jax.make_mesh((devices,), ("data",), axis_types=(AxisType.Auto,), devices=chosen)
    return experiment.build_training(config, experiment.open_data(config, Path()), mesh)


def steps(training: experiment.Training, number: int):
    """State and scalars after steps on one and the same batch."""
    batch = meshes.put_rows(next(training.batches(0)), training.mesh)
    state = training.init()
    for _ in range(number):
        state, scalars = training.step(state, batch)
    return jax.device_get((state, scalars))


@pytest.fixture(scope="module")
def frozen(tree):
    return build(tree)


def test_the_frozen_stay_what_they_are_and_statistics_move(frozen):
    before = jax.device_get(frozen.init())
    after, _ = steps(frozen, 2)
    for path, same in (
        ("stem/kernel", True),
        ("norm/scale", True),
        ("norm/bias", False),
        ("embed/kernel", False),
        ("head/kernel", False),
    ):
        layer, name = path.split("/")
        equal = np.array_equal(before.params[layer][name], after.params[layer][name])
        assert equal is same, path
    assert not np.array_equal(before.batch_stats["norm"]["mean"], after.batch_stats["norm"]["mean"])


def test_nothing_is_computed_or_kept_for_the_frozen(frozen, tree):
    def cost(training: experiment.Training) -> tuple[float, int]:
        batch = meshes.put_rows(next(training.batches(0)), training.mesh)
        lowered = training.step.lower(training.abstract, batch)
        kept = sum(x.size for x in jax.tree.leaves(training.abstract.opt_state))
        return lowered.compile().cost_analysis()["flops"], kept

    free = build(tree, ())
    (flops, kept), (all_flops, all_kept) = cost(frozen), cost(free)
    _, still = parameters.split(frozen.abstract.params, STEM)
    sizes = sum(x.size for x in jax.tree.leaves(still))
    assert all_kept - kept == sizes  # the momentum
    assert flops < 0.8 * all_flops


def test_each_step_draws_anew_and_from_the_seed_alone(tree, frozen):
    config = dropping.use(tiny.config(tree))
    config.optimizer.learning_rate = 0.0
    config.optimizer.groups = ()
    training = experiment.build_training(config, experiment.open_data(config, Path()), frozen.mesh)
    losses = [steps(training, number)[1]["loss"] for number in (1, 2, 1)]
    assert losses[0] != losses[1]
    assert losses[0] == losses[2]


def test_1_and_8_devices_drop_and_freeze_alike(tree):
    with jax.enable_x64(True):
        alone, together = (steps(build(tree, STEM, n, "float64"), 2) for n in (1, 8))
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(initial=0), alone, together)
    assert max(jax.tree.leaves(moved)) < 1e-8


@pytest.mark.parametrize("field", ["freeze", "groups"])
def test_a_pattern_that_matches_nothing_is_refused(tree, field):
    config = dropping.use(tiny.config(tree))
    if field == "freeze":
        config.freeze = ("stam/*",)
    else:
        config.optimizer.groups = (("hed/*", {"learning_rate": 1.0}),)
    expected = {"freeze": r"config.freeze: 'stam/\*' matches no .*stem/", "groups": "head/bias"}
    build_it = functools.partial(experiment.build_training, config)
    with pytest.raises(UserError, match=expected[field]):
        build_it(experiment.open_data(config, Path()), meshes.all_devices())
