"""GLN in its two phases."""

import jax
import jax.numpy as jnp
import narrow
import numpy as np


def test_second_phase_embeds_with_what_the_first_has_learnt():
    second, variables = narrow.network("gln")
    inputs, lengths = narrow.sequences("gln", 2, 3), jnp.array([3, 2])
    lateral = {name: p for name, p in variables["params"].items() if name != "compact"}
    first = second.clone(compact=False).apply({"params": lateral}, inputs, lengths, train=False)
    both = second.apply(variables, inputs, lengths, train=False)
    np.testing.assert_array_equal(first.embeddings, both.embeddings)
    assert set(first.terms) == {"triplet"}
    assert both.terms["softmax"]["logits"].shape == (2, 1, narrow.CLASSES["identity"])


def test_dropout_acts_in_training_alone_and_leaves_the_embeddings():
    model, variables = narrow.network("gln")
    inputs, lengths = narrow.sequences("gln", 4, 2), jnp.full(4, 2)

    def logits_and_embeddings(seed, train):
        output, _ = model.apply(
            variables,
            inputs,
            lengths,
            train=train,
            rngs={"dropout": jax.random.key(seed)},
            mutable=["batch_stats"],
        )
        return output.terms["softmax"]["logits"], output.embeddings

    (a, x), (b, y) = (logits_and_embeddings(seed, True) for seed in (0, 1))
    assert abs(a - b).max() > 0.1
    np.testing.assert_array_equal(x, y)
    (a, _), (b, _) = (logits_and_embeddings(seed, False) for seed in (0, 1))
    np.testing.assert_array_equal(a, b)
