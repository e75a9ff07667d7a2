"""Losses against loops over their definitions."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.losses import cross_entropy, triplet


def naive_triplet(embeddings, labels, margin):
    losses = []
    for part in np.moveaxis(embeddings, 1, 0):
        values = [
            np.linalg.norm(part[a] - part[p]) - np.linalg.norm(part[a] - part[n]) + margin
            for a, p, n in itertools.product(range(len(labels)), repeat=3)
            if labels[a] == labels[p] != labels[n]
        ]
        active = [v for v in values if v > 0]
        losses.append((sum(active) / len(active) if active else 0, len(active), max([0, *active])))
    return np.array(losses).T


@pytest.mark.parametrize("labels", [[0, 0, 1, 1, 2, 2], [7, 3, 7, 3, 3, 7], [0, 1, 2, 3, 4, 5]])
def test_triplet_is_the_mean_of_active_triplets(labels):
    embeddings = np.random.default_rng(0).standard_normal((6, 3, 4)).astype(np.float32) / 2
    value, scalars = jax.jit(triplet.loss, static_argnums=3)(
        embeddings, jnp.array(labels), 0.2, labels.count(labels[0])
    )
    each, active, hardest = naive_triplet(embeddings, labels, 0.2)
    np.testing.assert_allclose(value, each.mean(), rtol=1e-5)
    np.testing.assert_allclose(scalars["loss"], each, rtol=1e-5)
    np.testing.assert_array_equal(scalars["loss_num"], active)
    np.testing.assert_allclose(scalars["hard_loss"], hardest, rtol=1e-5)


def test_triplet_of_equal_embeddings_has_a_finite_gradient():
    labels = jnp.array([0, 0, 1, 1])
    gradient = jax.grad(lambda x: triplet.loss(x, labels, 0.2, 2)[0])(jnp.ones((4, 2, 8)))
    assert jnp.isfinite(gradient).all()


def test_triplet_refuses_identities_of_other_sizes():
    embeddings, labels = jnp.ones((6, 1, 2)), jnp.array([0, 0, 0, 0, 1, 2])
    with pytest.raises(UserError, match=r"4 sequences in the batch; expected per_identity=2"):
        triplet.loss(embeddings, labels, 0.2, 2)
    value, _ = jax.jit(triplet.loss, static_argnums=3)(embeddings, labels, 0.2, 2)
    assert jnp.isnan(value)  # labels are not known under jit; training stops at such a loss


def test_cross_entropy_is_smoothed_and_averaged_over_parts():
    rng = np.random.default_rng(0)
    logits, labels = rng.uniform(-1, 1, (4, 3, 5)), np.array([0, 4, 2, 2])
    value, scalars = cross_entropy.loss(
        jnp.asarray(logits), jnp.asarray(labels), 16, 0.1, log_accuracy=True
    )
    terms, hits = [], []
    for n, p in itertools.product(range(4), range(3)):
        log_p = 16 * logits[n, p] - np.log(np.exp(16 * logits[n, p]).sum())
        terms.append(0.9 * -log_p[labels[n]] + 0.1 * -log_p.mean())
        hits.append(logits[n, p].argmax() == labels[n])
    np.testing.assert_allclose(value, np.mean(terms), rtol=1e-5)
    np.testing.assert_allclose(scalars["accuracy"], np.mean(hits))
