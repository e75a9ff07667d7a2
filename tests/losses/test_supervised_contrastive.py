"""Supervised contrastive loss against loops over its definition."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.losses import supervised_contrastive

LABELS = np.array([3, 3, 0, 0, 0, 7])  # the last one has no positive


def naive(similarity):
    """-log of the softmax over all others, averaged over each anchor's positives."""
    losses = []
    for a, label in enumerate(LABELS):
        others = [b for b in range(len(LABELS)) if b != a]
        log_all = np.log(np.exp(similarity[a, others]).sum())
        positives = [log_all - similarity[a, b] for b in others if LABELS[b] == label]
        losses.append(np.mean(positives) if positives else 0)
    return np.array(losses)


@pytest.mark.parametrize("similarity", ["dot", "distance"])
def test_anchors_are_pulled_to_their_positives(similarity):
    x = np.random.default_rng(0).standard_normal((6, 5))
    value, scalars = jax.jit(supervised_contrastive.loss, static_argnums=(4, 5))(
        jnp.asarray(x), jnp.asarray(LABELS), 0.5, 0.25, similarity, similarity == "distance"
    )
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    distances = np.linalg.norm(unit[:, None] - unit, axis=2)
    each = 2 * naive((x @ x.T if similarity == "dot" else -distances) / 0.5)
    expected = each.mean() if similarity == "dot" else each[each > 0].mean()
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(scalars["loss"], value)


@pytest.mark.parametrize("similarity", ["dot", "distance"])
def test_it_is_finite_for_equal_and_for_far_embeddings(similarity):
    def loss(x):
        labels = jnp.array([0, 0, 1, 2])
        return supervised_contrastive.loss(x, labels, similarity=similarity, active_only=True)[0]

    for x in (jnp.ones((4, 3)), 10 * jnp.eye(4)):
        value, gradient = jax.value_and_grad(loss)(x)
        assert jnp.isfinite(value)
        assert jnp.isfinite(gradient).all()


def test_another_similarity_is_refused():
    with pytest.raises(UserError, match="similarity is 'cosine'; expected 'dot' or 'distance'"):
        supervised_contrastive.loss(jnp.ones((2, 3)), jnp.zeros(2, int), similarity="cosine")


def test_a_loss_of_less_than_float32s_rounding_is_not_active():
    # The first two are 0.1 apart and e^-1000 is left for the others, which are 0.2 apart.
    angles = np.array([0, 0.1, 2.0, 2.2, 4.0])
    x = jnp.stack([jnp.cos(angles), jnp.sin(angles)], 1)
    labels = jnp.array([0, 0, 1, 2, 3])

    def loss(active_only):
        return jax.jit(supervised_contrastive.loss, static_argnums=(4, 5))(
            x, labels, 0.001, 1.0, "distance", active_only
        )[0]

    assert loss(True) == loss(False) == 0
