"""Binary cross entropy and IoU against loops over their definitions."""

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.losses import binary_cross_entropy


def test_it_is_the_mean_over_the_pixels_of_valid_frames():
    rng = np.random.default_rng(0)
    p, y = rng.uniform(0.01, 0.99, (2, 3, 4, 5)), rng.integers(0, 2, (2, 3, 4, 5))
    y[0, 1] = 0
    p[0, 1] *= 0.5  # nobody there, and nobody found
    mask = np.array([[True, True, False], [True, False, False]])
    value, scalars = jax.jit(binary_cross_entropy.loss)(p, y, mask)

    frames = list(zip(p[mask], y[mask], strict=True))
    pixels = np.array([-np.log(np.where(g, f, 1 - f)) for f, g in frames])
    found = [(((f > 0.5) & (g > 0)).sum(), ((f > 0.5) | (g > 0)).sum()) for f, g in frames]
    ious = [common / union if union else 0 for common, union in found]
    np.testing.assert_allclose(value, pixels.mean(), rtol=1e-5)
    np.testing.assert_allclose(scalars["hard_loss"], pixels.max(), rtol=1e-5)
    np.testing.assert_allclose(scalars["miou"], np.mean(ious), rtol=1e-5)
    assert found[1][1] == 0


def test_certainty_has_a_finite_gradient():
    p, y = jnp.array([0.0, 1, 0, 1]), jnp.array([0.0, 1, 1, 0])

    def loss(p):
        maps = (x.reshape(1, 1, 2, 2) for x in (p, y))
        return binary_cross_entropy.loss(*maps, jnp.ones((1, 1), bool))[0]

    assert jnp.isfinite(jax.grad(loss)(p)).all()
