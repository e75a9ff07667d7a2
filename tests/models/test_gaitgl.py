"""What GaitGL, and GaitEdge around it, promise beyond what every network does."""

import functools

import jax
import jax.numpy as jnp
import narrow
import numpy as np
import pytest

from gaitjax import models
from gaitjax.models import gaitedge, gaitgl


@pytest.mark.parametrize("frames", [[0, 0, 0], [0, 1, 0, 1]])
def test_short_sequences_are_repeated(frames):
    model, variables = narrow.network("gaitgl")
    apply = jax.jit(functools.partial(model.apply, variables, train=False))
    x = narrow.sequences("gaitgl", 1, 2)["silhouette"]
    length = len(set(frames))
    once = apply({"silhouette": x[:, :length]}, jnp.array([length])).embeddings
    repeated = apply({"silhouette": x[:, frames]}, jnp.array([len(frames)])).embeddings
    np.testing.assert_allclose(once, repeated, rtol=1e-5)


def test_local_convolutions_see_their_own_strip():
    block = gaitgl.GlobalLocal(2, strips=4, stacked=True, dtype=jnp.float32)
    x, valid = jax.random.normal(jax.random.key(0), (1, 3, 8, 4, 1)), jnp.ones((1, 3), bool)
    variables = block.init(jax.random.key(1), x, valid)
    moved = block.apply(variables, x.at[:, :, 2:4].add(1), valid)
    rows = jnp.any(moved != block.apply(variables, x, valid), (0, 1, 3, 4))
    of_whole, of_strips = np.flatnonzero(rows[:8]), np.flatnonzero(rows[8:])
    np.testing.assert_array_equal(of_whole, [1, 2, 3, 4])
    np.testing.assert_array_equal(of_strips, [2, 3])


def test_rematerialisation_changes_no_number():
    def gradients(remat):
        model, variables = narrow.network("gaitgl")
        inputs, lengths = narrow.sequences("gaitgl", 2, 4), jnp.array([4, 3])

        def loss(params):
            output, _ = model.clone(remat=remat).apply(
                {**variables, "params": params}, inputs, lengths, train=True, mutable="batch_stats"
            )
            return (output.terms["softmax"]["logits"] ** 2).sum()

        return jax.jit(jax.value_and_grad(loss))(variables["params"])

    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5),
        gradients(False),
        gradients(True),
    )


@pytest.mark.parametrize(("network", "millions"), [("gaitgl", 3.097), ("gaitedge", 3.634)])
def test_parameters_are_as_many_as_published(network, millions):
    model = models.build(network, {}, {"identity": 74}, "float32")
    inputs = {m: jnp.zeros((1, 1, *shape)) for m, shape in gaitedge.EXAMPLE.items()}
    inputs["silhouette"] = inputs["mask"][:, :, :64, :44] if network == "gaitgl" else inputs["mask"]
    init = functools.partial(model.init, train=False)
    params = jax.eval_shape(init, jax.random.key(0), inputs, jnp.ones(1, int))["params"]
    assert sum(x.size for x in jax.tree.leaves(params)) / 1e6 == pytest.approx(millions, abs=6e-4)


def test_gaitedge_is_named_as_the_checkpoints_of_its_first_phase():
    _, whole = narrow.network("gaitedge")
    for network in ("gaitgl", "segmentation"):
        assert narrow.network(network)[1]["params"].keys() <= whole["params"].keys()
