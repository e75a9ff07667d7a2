"""What only an NVIDIA GPU can show; run by scripts/gpu_check.sh."""

import contextlib
import importlib

import jax
import numpy as np
import pytest
from jax.sharding import AxisType

from gaitjax import models
from gaitjax.training import experiment
from gaitjax.training import mesh as meshes

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("walkers")


@pytest.fixture
def highest_precision():
    with jax.default_matmul_precision("highest"):  # no TF32
        yield


def config_of(network, root):
    """Batches of 16 short sequences."""
    config = importlib.import_module(f"configs.{network}").get_config("synthetic")
    config.data.root = str(root)
    config.data.options.update(
        train_identities=8,
        test_identities=1,
        types=("nm-01", "nm-02"),
        views=("000", "090"),
        frames=(12, 12),
    )
    config.data.sampler.sequences = 2
    return config


def train(config, root, mesh, steps):
    """The loss of the last step, and the parameters after it."""
    training = experiment.build_training(config, experiment.open_data(config, root), mesh)
    state = training.init()
    with contextlib.closing(training.batches(0)) as batches:
        for _ in range(steps):
            state, scalars = training.step(state, meshes.put_rows(next(batches), mesh))
    return float(scalars["loss"]), jax.device_get(state.params)


def mesh_of(devices):
    return jax.make_mesh((len(devices),), ("data",), (AxisType.Auto,), devices=devices)


@pytest.mark.parametrize("network", ["gaitset", "gaitbase"])
def test_bfloat16_embeds_as_float32_does(gpus, highest_precision, network):
    options = importlib.import_module(f"configs.{network}").get_config("casia_b").model.to_dict()
    silhouettes = jax.random.bernoulli(jax.random.key(0), 0.5, (8, 10, 16, 11)).astype(float)
    inputs = {"silhouette": silhouettes.repeat(4, 2).repeat(4, 3)}
    lengths = np.arange(3, 11)
    single, half = (
        models.build(network, options, {"identity": 9}, d) for d in ("float32", "bfloat16")
    )
    variables = jax.jit(lambda key: single.init(key, inputs, lengths, train=False))(
        jax.random.key(1)
    )
    expected, actual = (
        np.asarray(
            jax.jit(lambda v, m=m: m.apply(v, inputs, lengths, train=False).embeddings)(variables)
        )
        for m in (single, half)
    )
    norms = np.linalg.norm(expected, axis=-1) * np.linalg.norm(actual, axis=-1)
    assert ((expected * actual).sum(-1) / norms).min() >= 0.999


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("network", ["gaitset", "gaitbase"])
def test_deterministic_runs_end_in_the_same_bits(gpus, root, network, dtype):
    config = config_of(network, root)
    config.deterministic, config.dtype = True, dtype
    first, second = (train(config, root, mesh_of(gpus), steps=5) for _ in range(2))
    assert first[0] == second[0]
    jax.tree.map(np.testing.assert_array_equal, first[1], second[1])


@pytest.mark.parametrize("network", ["gaitset", "gaitbase"])
def test_all_gpus_together_take_the_step_of_a_cpu(gpus, root, highest_precision, network):
    if 16 % len(gpus):
        pytest.skip(f"a batch of 16 is not divisible by {len(gpus)} GPUs")
    config = config_of(network, root)
    together, _ = train(config, root, mesh_of(gpus), steps=1)
    alone, _ = train(config, root, mesh_of(jax.devices("cpu")[:1]), steps=1)
    assert together == pytest.approx(alone, rel=1e-4)
