"""What every network promises, whatever it computes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax import models
from gaitjax.errors import UserError

RESNET = {"type": "resnet", "channels": (4, 6, 8, 8), "blocks": (1, 1, 1, 1)}
NARROW = {
    "gaitset": {"channels": (4, 6, 8), "embedding": 8},
    "gaitbase": {"backbone": {**RESNET, "strides": (1, 2, 2, 1)}, "embedding": 8},
    "gaitbase-plain": {
        "backbone": {"type": "plain", "layers": ("BC-4", "M", "BC-6", "M")},
        "embedding": 8,
        "bins": (16, 8),
    },
    "energy_image": {},
}
NETWORKS = pytest.mark.parametrize("name", NARROW)


@functools.cache
def network(name, dtype="float32"):
    """A narrow network and its variables."""
    model = models.build(name.partition("-")[0], NARROW[name], {"identity": 3}, dtype)
    inputs = {"silhouette": jnp.zeros((1, 1, 32, 24))}
    init = jax.jit(functools.partial(model.init, train=False))
    variables = init(jax.random.key(0), inputs, jnp.ones(1, int))
    return model, variables


def silhouettes(lengths, seed=0):
    """Random frames, in the padding too."""
    rng = np.random.default_rng(seed)
    return rng.random((len(lengths), max(lengths), 32, 24), np.float32)


@functools.cache
def embed(name):
    model, variables = network(name)
    return jax.jit(
        lambda x, lengths: (
            model.apply(variables, {"silhouette": x}, lengths, train=False).embeddings
        )
    )


@NETWORKS
def test_padding_changes_nothing(name):
    lengths = [1, 2, 3, 8]
    for padding in (1, 7, 100):
        padded = [*lengths, 8 + padding]
        x = silhouettes(padded)
        beside = embed(name)(x, jnp.array(padded))
        for row, length in enumerate(lengths):
            alone = embed(name)(x[row : row + 1, :length], jnp.array([length]))
            assert abs(beside[row] - alone[0]).max() <= 1e-5 * abs(alone).max()


@NETWORKS
def test_padding_changes_no_statistics_and_no_loss_term(name):
    model, variables = network(name)
    lengths = jnp.array([3, 5, 2, 4])

    @jax.jit
    def train(x):
        inputs = {"silhouette": x}
        return model.apply(variables, inputs, lengths, train=True, mutable=["batch_stats"])

    x = silhouettes([5, 5, 5, 5])
    other = silhouettes([5, 5, 5, 5], seed=1)
    valid = np.arange(5) < np.asarray(lengths)[:, None]
    (output, stats), (output2, stats2) = train(x), train(np.where(valid[..., None, None], x, other))
    jax.tree.map(np.testing.assert_array_equal, (output.terms, stats), (output2.terms, stats2))


@NETWORKS
def test_the_order_of_frames_and_of_sequences_does_not_matter(name):
    x = silhouettes([6, 6, 6])
    lengths = jnp.array([6, 6, 6])
    expected = embed(name)(x, lengths)
    np.testing.assert_allclose(embed(name)(x[:, ::-1], lengths), expected, atol=1e-5)
    np.testing.assert_allclose(embed(name)(x[::-1], lengths)[::-1], expected, atol=1e-5)


@pytest.mark.parametrize("name", ["gaitset", "gaitbase"])
def test_bfloat16_embeds_as_float32_does(name):
    model, variables = network(name)
    half, _ = network(name, "bfloat16")
    inputs = {"silhouette": jnp.asarray(silhouettes([8] * 4))}
    lengths = jnp.full(4, 8)
    a, b = (
        jax.jit(functools.partial(m.apply, train=False))(variables, inputs, lengths).embeddings
        for m in (model, half)
    )
    assert b.dtype == jnp.float32
    a, b = a.reshape(4, -1), b.reshape(4, -1)
    norms = jnp.linalg.norm(a, axis=1) * jnp.linalg.norm(b, axis=1)
    assert ((a * b).sum(1) / norms).min() >= 0.999


@pytest.mark.parametrize("name", ["gaitset", "gaitbase"])
def test_parameters_are_float32_in_bfloat16_networks(name):
    _, variables = network(name, "bfloat16")
    assert {x.dtype for x in jax.tree.leaves(variables)} == {jnp.dtype("float32")}


@pytest.mark.parametrize(
    ("name", "options", "millions"),
    [
        ("gaitset", {}, 2.595),
        ("gaitset", {"channels": (64, 128, 256)}, 6.314),
        ("gaitbase", {}, 7.305),  # CASIA-B: 74 classes, of which the head has 0.303
    ],
)
def test_parameters_are_as_many_as_published(name, options, millions):
    model = models.build(name, options, {"identity": 74}, "float32")
    inputs = {"silhouette": jnp.zeros((1, 1, 64, 44))}
    variables = jax.eval_shape(
        lambda: model.init(jax.random.key(0), inputs, jnp.ones(1, int), train=False)
    )
    count = sum(x.size for x in jax.tree.leaves(variables["params"]))
    assert round(count / 1e6, 3) == millions


def test_unknown_networks_options_and_dtypes_are_named():
    with pytest.raises(UserError, match=r"'gaitsett'; it has .*gaitset"):
        models.build("gaitsett", {}, {}, "float32")
    with pytest.raises(UserError, match=r"no option chanels; it has .*channels"):
        models.build("gaitset", {"chanels": (1, 2, 3)}, {}, "float32")
    with pytest.raises(UserError, match="float16"):
        models.build("gaitset", {}, {}, "float16")
