"""What every network promises, whatever it computes."""

import functools

import jax
import jax.numpy as jnp
import narrow
import numpy as np
import optax
import pytest
from flax.traverse_util import flatten_dict
from jax.sharding import AxisType, NamedSharding
from jax.sharding import PartitionSpec as P

from gaitjax import models
from gaitjax.errors import UserError
from gaitjax.interop import opengait
from gaitjax.training import step

NAMES = pytest.mark.parametrize("name", narrow.NETWORKS)
TRAINED = pytest.mark.parametrize("name", [n for n, x in narrow.NETWORKS.items() if x.losses])


@functools.cache
def embed(name):
    """Jitted: what a network says of sequences, [N, ...]."""
    model, variables = narrow.network(name)
    prediction = narrow.NETWORKS[name].prediction

    @jax.jit
    def apply(inputs, lengths):
        output = model.apply(variables, inputs, lengths, train=False)
        return output.predictions[prediction] if prediction else output.embeddings

    return apply


@pytest.mark.parametrize("padding", [7, pytest.param(100, marks=pytest.mark.slow)])
@NAMES
def test_padding_changes_nothing(name, padding):
    lengths = np.array([1, 2, 3, 5, 8])
    inputs = narrow.sequences(name, 6, 8 + padding)
    beside = np.asarray(embed(name)(inputs, jnp.array([*lengths, 8 + padding])))
    for row, length in enumerate(lengths):
        alone = embed(name)(
            {m: x[row : row + 1, :length] for m, x in inputs.items()}, jnp.array([length])
        )
        found = beside[row, :length] if narrow.NETWORKS[name].prediction else beside[row]
        assert abs(found - alone[0]).max() <= 1e-5 * abs(alone).max()


@NAMES
def test_padding_changes_no_statistics_and_no_loss(name):
    model, variables = narrow.network(name, dropout=0.0, drop_path=0.0, blank=0.0)
    lengths = jnp.array([3, 5, 2, 4])
    inputs = narrow.sequences(name, 4, 6)
    other = narrow.sequences(name, 4, 6, seed=1)
    valid = np.arange(6) < np.asarray(lengths)[:, None]
    mixed = {
        m: np.where(valid.reshape(4, 6, *[1] * (x.ndim - 2)), x, other[m])
        for m, x in inputs.items()
    }
    labels = {label: jnp.array([0, 0, 1, 1]) for label in narrow.CLASSES}

    @jax.jit
    def train(inputs):
        output, statistics = model.apply(
            variables,
            inputs,
            lengths,
            train=True,
            rngs={"dropout": jax.random.key(0)},
            mutable=["batch_stats"],
        )
        return step.total_loss(narrow.NETWORKS[name].losses, output, labels), statistics

    jax.tree.map(np.testing.assert_array_equal, train(inputs), train(mixed))


@NAMES
def test_sequences_do_not_see_each_other(name):
    inputs, lengths = narrow.sequences(name, 3, 6), jnp.array([6, 4, 5])
    expected = embed(name)(inputs, lengths)
    turned = embed(name)({m: x[::-1] for m, x in inputs.items()}, lengths[::-1])
    np.testing.assert_allclose(turned[::-1], expected, atol=1e-5)


@pytest.mark.parametrize(
    "name", [n for n, x in narrow.NETWORKS.items() if not x.ordered and not x.prediction]
)
def test_sets_have_no_order(name):
    inputs, lengths = narrow.sequences(name, 3, 6), jnp.array([6, 6, 6])
    turned = embed(name)({m: x[:, ::-1] for m, x in inputs.items()}, lengths)
    np.testing.assert_allclose(turned, embed(name)(inputs, lengths), atol=1e-5)


@pytest.mark.slow
@TRAINED
def test_bfloat16_embeds_as_float32_does_with_float32_parameters(name):
    if narrow.NETWORKS[name].prediction:
        pytest.skip("it has no embeddings")
    model, variables = narrow.network(name)
    half, _ = narrow.network(name, "bfloat16")
    inputs, lengths = narrow.sequences(name, 4, 8), jnp.full(4, 8)
    init = functools.partial(half.init, train=False)
    own = jax.eval_shape(init, jax.random.key(0), inputs, lengths)
    assert {x.dtype for x in jax.tree.leaves(own)} == {jnp.dtype("float32")}
    a, b = (
        jax.jit(functools.partial(m.apply, train=False))(variables, inputs, lengths).embeddings
        for m in (model, half)
    )
    assert b.dtype == jnp.float32
    a, b = a.reshape(4, -1), b.reshape(4, -1)
    norms = jnp.linalg.norm(a, axis=1) * jnp.linalg.norm(b, axis=1)
    assert ((a * b).sum(1) / norms).min() >= 0.999


def training(name, devices, dtype):
    """A step, its first state and a batch, on some devices."""
    mesh = jax.make_mesh((len(devices),), ("data",), (AxisType.Auto,), devices=devices)
    everywhere, rows = NamedSharding(mesh, P()), NamedSharding(mesh, P("data"))
    model, variables = narrow.network(name, dtype)
    tx = optax.adam(1e-3, eps=1e-7)  # it divides gradients that are 0 but for rounding by eps
    state = step.State(
        jnp.zeros((), jnp.int32),
        variables["params"],
        variables.get("batch_stats", {}),
        tx.init(variables["params"]),
    )
    inputs = {m: x.astype(dtype) for m, x in narrow.sequences(name, 8, 6).items()}
    identities = np.repeat(np.arange(4), 2)
    batch = step.Batch(
        inputs,
        np.array([6, 4, 5, 6, 3, 6, 6, 6]),
        {"identity": identities, "diagnosis": identities % 3},
    )
    function = jax.jit(
        step.make(model, tx, narrow.NETWORKS[name].losses, {}, seed=0),
        in_shardings=(everywhere, rows),
        out_shardings=everywhere,
    )
    return function, jax.device_put(state, everywhere), jax.device_put(batch, rows)


@pytest.mark.slow
@TRAINED
def test_a_step_is_the_same_on_1_and_8_devices(name):
    def first(devices):
        function, state, batch = training(name, jax.devices()[:devices], "float64")
        return jax.device_get(function(state, batch))

    with jax.enable_x64(True):
        moved = jax.tree.map(lambda a, b: np.abs(a - b).max(initial=0), first(1), first(8))
    assert max(jax.tree.leaves(moved)) < 1e-8


@pytest.mark.slow
@TRAINED
def test_20_steps_on_8_devices_lower_the_loss(name):
    # float32: the CPU convolves float64 very slowly
    function, state, batch = training(name, jax.devices()[:8], "float32")
    losses = []
    for _ in range(20):
        state, scalars = function(state, batch)
        losses.append(float(scalars["loss"]))
    assert np.mean(losses[-5:]) < np.mean(losses[:5])


@pytest.mark.gpu
@TRAINED
def test_a_gpu_takes_the_step_of_a_cpu(gpus, name):
    def loss(device):
        function, state, batch = training(name, [device], "float32")
        return float(function(state, batch)[1]["loss"])

    with jax.default_matmul_precision("highest"):  # no TF32
        assert loss(gpus[0]) == pytest.approx(loss(jax.devices("cpu")[0]), rel=1e-4)


@pytest.mark.parametrize(
    ("name", "options", "millions"),
    [
        ("gaitset", {}, 2.595),
        ("gaitset", {"channels": (64, 128, 256)}, 6.314),
        ("gaitbase", {}, 7.002),
        ("gaitgraph1", {}, 0.320),
        ("gaitgraph2", {}, 0.351),
        ("gaittr", {}, 0.512),
        ("msgg", {}, 1.536),  # 2.195 with the classifier of OU-MVLP's 5153 classes
        ("gaitpart", {}, 1.204),
        ("gln", {}, 8.542),
        ("gln", {"compact": True}, 14.686),  # 14.704 with the classifier of CASIA-B's 74 classes
        ("swingait", {}, 10.630),
        ("swingait", {"blocks": (1, 4, 4, 2)}, 13.251),
        ("gaitbase", {"modality": "depth"}, 7.003),
        ("gaitgl", {"channels": (32, 64, 128, 256), "necks": True}, 11.226),
        ("biggait", {}, 30.371),
        # published with the classifiers of 100 classes, and without DINOv2: 120.15 and 20.78
        ("biggergait", {}, 142.208 - 9.830),
        ("biggergait", {"group": 2, "networks": 2}, 42.834 - 1.638),
        ("segmentation", {}, 0.537),
        ("sconet", {}, 7.002),
        ("parsinggait", {}, 8.196),
        ("smplgait", {}, 3.303),
        ("gaitssb_pretrain", {}, 37.498),
        ("gaitssb_finetune", {}, 29.340),
        ("foundationgait_pretrain", {}, 131.471),
        ("foundationgait_pretrain", {"blocks": (1, 4, 32, 16)}, 329.799),
        ("foundationgait_finetune", {}, 69.814),
        ("foundationgait_finetune", {"blocks": (1, 4, 32, 16)}, 168.979),
        ("deepgaitv2", {}, 8.036),
        ("deepgaitv2", {"blocks": (1, 4, 4, 1)}, 13.204),
        ("deepgaitv2", {"blocks": (1, 4, 4, 1), "modality": "heatmap"}, 13.205),
        ("skeletongaitpp", {"blocks": (1, 4, 4, 1)}, 13.281),
        ("lidargaitpp", {}, 2.336),
        ("lidargaitpp", {"channels": 32}, 3.056),
        ("denoisinggait", {}, 9.659),  # 10.273 with the classifier of CCPG's 100 classes
    ],
)
def test_parameters_without_the_head_are_as_many_as_published(name, options, millions):
    model = models.build(name, options, narrow.CLASSES, "float32")
    params = opengait.shapes(name, model)["params"]
    count = sum(
        x.size for path, x in flatten_dict(params).items() if path[-2:] != ("necks", "kernel")
    )
    assert count / 1e6 == pytest.approx(millions, abs=6e-4)


def test_unknown_networks_options_and_dtypes_are_named():
    with pytest.raises(UserError, match=r"'gaitsett'; it has .*gaitset"):
        models.build("gaitsett", {}, {}, "float32")
    with pytest.raises(UserError, match=r"no option chanels; it has .*channels"):
        models.build("gaitset", {"chanels": (1, 2, 3)}, {}, "float32")
    with pytest.raises(UserError, match="float16"):
        models.build("gaitset", {}, {}, "float16")
