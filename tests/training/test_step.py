"""One step is the same on any number of devices, and steps lead downhill."""

import functools
from pathlib import Path

import jax
import numpy as np
import pytest
import tiny
from jax.sharding import AxisType, Mesh

from gaitjax.errors import UserError
from gaitjax.training import experiment
from gaitjax.training import mesh as meshes

NETWORKS = pytest.mark.parametrize(
    "network", ["gaitset", pytest.param("gaitbase", marks=pytest.mark.slow)]
)


def mesh_of(devices: int) -> Mesh:
    chosen = jax.devices()[:devices]
    return jax.make_mesh((devices,), ("data",), axis_types=(AxisType.Auto,), devices=chosen)


@functools.cache
def build(tree: Path, network: str, dtype: str, devices: int) -> experiment.Training:
    config = tiny.config(tree, network)
    config.dtype = dtype
    config.data.transforms.silhouette = ({"type": "silhouette_cut"}, {"type": "flip"})
    data = experiment.open_data(config, Path())
    return experiment.build_training(config, data, mesh_of(devices))


def one_step(training: experiment.Training):
    batch = next(training.batches(0))
    placed = meshes.put_rows(batch, training.mesh)
    return jax.device_get(training.step(training.init(), placed))


@NETWORKS
def test_float64_step_is_the_same_on_1_and_8_devices(tree, network):
    with jax.enable_x64(True):
        alone, together = (one_step(build(tree, network, "float64", n)) for n in (1, 8))
    assert alone[1]["loss"].dtype == np.float64
    assert alone[1]["loss"] > 0.1
    moved = jax.tree.map(lambda a, b: np.abs(a - b).max(initial=0), alone, together)
    assert max(jax.tree.leaves(moved)) < 1e-8


@pytest.mark.parametrize("network", ["gaitset", pytest.param("gaitbase", marks=pytest.mark.slow)])
def test_float32_loss_is_the_same_on_1_and_8_devices(tree, network):
    alone, together = (one_step(build(tree, network, "float32", n))[1] for n in (1, 8))
    assert alone["loss"] == pytest.approx(together["loss"], abs=1e-5)


@pytest.mark.slow
def test_bfloat16_step_keeps_parameters_and_loss_in_float32(tree):
    state, scalars = one_step(build(tree, "gaitset", "bfloat16", 8))
    floats = [x for x in jax.tree.leaves((state, scalars)) if np.issubdtype(x.dtype, np.inexact)]
    assert {x.dtype for x in floats} == {np.dtype("float32")}
    _, exact = one_step(build(tree, "gaitset", "float32", 8))
    assert scalars["loss"] == pytest.approx(exact["loss"], rel=0.05)


def test_steps_on_one_batch_lower_its_loss_and_compile_once(tree):
    training = build(tree, "gaitset", "float32", 8)
    batch = meshes.put_rows(next(training.batches(0)), training.mesh)
    state, losses = training.init(), []
    for _ in range(20):
        state, scalars = training.step(state, batch)
        losses.append(float(scalars["loss"]))
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert training.step._cache_size() == 1
    assert int(state.step) == 20


def test_a_loss_that_reads_a_label_which_is_not_there_is_named(tree):
    config = tiny.config(tree)
    config.losses.triplet.labels = "age"
    data = experiment.open_data(config, Path())
    with pytest.raises(UserError, match=r"triplet\.labels is 'age'; the data have identity"):
        experiment.build_training(config, data, mesh_of(1))
