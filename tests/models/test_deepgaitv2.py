"""What DeepGaitV2 and its kin promise beside what every network does."""

import functools

import jax
import jax.numpy as jnp
import narrow
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.models import deepgaitv2, multigaitpp


@pytest.mark.slow
def test_computing_blocks_again_changes_no_number():
    model, variables = narrow.network("deepgaitv2")
    inputs, lengths = narrow.sequences("deepgaitv2", 2, 4), jnp.array([4, 3])

    def step(params, remat):
        output, updated = model.clone(remat=remat).apply(
            {**variables, "params": params}, inputs, lengths, train=True, mutable=["batch_stats"]
        )
        return jnp.sum(output.terms["softmax"]["logits"] ** 2), (output.embeddings, updated)

    both = [
        jax.jit(jax.value_and_grad(step, has_aux=True), static_argnums=1)(variables["params"], x)
        for x in (False, True)
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4), *both)


def test_bnnecks_embed_with_unit_length_and_train_the_same():
    model, variables = narrow.network("deepgaitv2")
    inputs, lengths = narrow.sequences("deepgaitv2", 2, 4), jnp.array([4, 3])
    plain, necks = (
        jax.jit(functools.partial(model.clone(inference_head=head).apply, train=False))(
            variables, inputs, lengths
        )
        for head in ("fc", "bnneck")
    )
    np.testing.assert_allclose(jnp.linalg.norm(necks.embeddings, axis=-1), 1, atol=1e-5)
    jax.tree.map(np.testing.assert_array_equal, plain.terms, necks.terms)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [("mode", "4d", "'4d'; expected one of 2d, p3d, 3d"), ("inference_head", "bn", "fc or bnneck")],
)
def test_unknown_choices_are_named(field, value, said):
    model, _ = narrow.network("deepgaitv2")
    inputs = narrow.sequences("deepgaitv2", 1, 1)
    init = functools.partial(model.clone(**{field: value}).init, train=False)
    with pytest.raises(UserError, match=said):
        jax.eval_shape(init, jax.random.key(0), inputs, jnp.ones(1, jnp.int32))


def test_channels_that_mean_no_modality_are_named():
    with pytest.raises(UserError, match="in_channels is 3; expected 1"):
        deepgaitv2.from_opengait({"Backbone": {"in_channels": 3}})
    with pytest.raises(UserError, match=r"\(2, 2\); expected one of \(1, 1\)"):
        multigaitpp.from_opengait({"Backbone": {"part1_channel": 2, "part2_channel": 2}})
