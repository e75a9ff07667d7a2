"""Generalised means against their definition."""

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.models.layers.gem import GeM


def test_it_is_the_generalised_mean_of_every_strip():
    x = np.random.default_rng(0).random((2, 4, 5, 3), np.float32)
    for exponent in (1, 2, 6.5):
        found = GeM(2).apply({"params": {"exponent": jnp.array([exponent])}}, x)
        strips = x.reshape(2, 2, 10, 3).astype(np.float64)
        expected = (strips**exponent).mean(2) ** (1 / exponent)
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_rows_of_zeros_have_the_least_mean_and_finite_gradients():
    x = jnp.zeros((1, 2, 4, 3)).at[:, 1].set(1)
    variables = GeM(2).init(jax.random.key(0), x)
    np.testing.assert_allclose(GeM(2).apply(variables, x)[0, :, 0], [1e-6, 1], rtol=1e-5)
    gradients = jax.grad(lambda v, x: GeM(2).apply(v, x).sum(), (0, 1))(variables, x)
    assert all(jnp.isfinite(g).all() for g in jax.tree.leaves(gradients))
