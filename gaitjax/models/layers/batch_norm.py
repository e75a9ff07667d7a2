"""Batch normalisation that keeps padding out and counts variances as PyTorch does."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

DECAY = 0.9  # PyTorch's momentum 0.1
EPSILON = 1e-5


def scale_init(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """N(1, 0.02), as OpenGait draws the scale of every normalisation."""
    return 1 + 0.02 * jax.random.normal(key, shape, dtype)


class BatchNorm(nn.Module):
    """Normalises each feature over all other axes (Ioffe & Szegedy, ICML 2015).

    Under jit the batch is one array over all devices, so the statistics are those of the global
    batch. The running variance is the unbiased one.

    Attributes:
        axes: how many of the last axes are features; each element of them has its own statistics.
        affine: whether a learnt scale and bias follow.
        dtype: of the result; statistics are computed in float32 or above.
    """

    dtype: Any
    axes: int = 1
    affine: bool = True

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array | None = None) -> jax.Array:
        """Normalises x [..., features].

        Args:
            x: the features, after any number of axes.
            train: whether to use, and to keep, the statistics of this batch.
            valid: bool, over the leading axes of x: what counts in the statistics.

        Returns:
            An array like x.
        """
        features = x.shape[x.ndim - self.axes :]
        wide = jnp.promote_types(self.dtype, jnp.float32)
        mean = self.variable("batch_stats", "mean", jnp.zeros, features, wide)
        var = self.variable("batch_stats", "var", jnp.ones, features, wide)
        x = x.astype(wide)
        if not train:
            mu, sigma2 = mean.value, var.value
        else:
            mu, sigma2, count = self._moments(x, valid)
            if not self.is_initializing():
                unbiased = sigma2 * count / jnp.maximum(count - 1, 1)
                mean.value = DECAY * mean.value + (1 - DECAY) * mu
                var.value = DECAY * var.value + (1 - DECAY) * unbiased
        factor, bias = jax.lax.rsqrt(sigma2 + EPSILON), jnp.zeros(())
        if self.affine:
            factor *= self.param("scale", scale_init, features, wide)
            bias = self.param("bias", nn.initializers.zeros, features, wide)
        return ((x - mu) * factor + bias).astype(self.dtype)

    def _moments(
        self, x: jax.Array, valid: jax.Array | None
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Mean, biased variance and the number of samples they are of."""
        leading = x.ndim - self.axes
        over = tuple(range(leading))
        if valid is None:
            valid = jnp.ones((1,) * leading, bool)
        per_entry = math.prod(x.shape[:leading]) // valid.size
        count = jnp.maximum(jnp.sum(valid, dtype=x.dtype) * per_entry, 1)  # none: zeros, not NaN
        valid = valid.reshape(valid.shape + (1,) * (x.ndim - valid.ndim))
        mu = jnp.sum(jnp.where(valid, x, 0), over) / count
        sigma2 = jnp.sum(jnp.where(valid, (x - mu) ** 2, 0), over) / count
        return mu, sigma2, count
