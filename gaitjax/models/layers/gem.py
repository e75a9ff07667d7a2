"""Generalised mean pooling with a learnable exponent (Radenovic et al., TPAMI 2019)."""

import math

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError

EPSILON = 1e-6  # what every value is raised to at least


class GeM(nn.Module):
    """The generalised mean (mean of x^q)^(1 / q) of every horizontal strip of a map.

    Attributes:
        parts: strips, from top to bottom.
    """

    parts: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Pools maps.

        The power of a small value may be too small a number for float32, so the mean is taken of
        logarithms.

        Args:
            x: [N, H, W, C].

        Returns:
            [N, parts, C], float32 or above.

        Raises:
            UserError: if the number of parts does not divide H.
        """
        if x.shape[1] % self.parts:
            raise UserError(
                f"{self.parts} parts do not divide a map of {x.shape[1]} rows; choose others in "
                "config.model.parts"
            )
        wide = jnp.promote_types(x.dtype, jnp.float32)
        exponent = self.param("exponent", nn.initializers.constant(6.5), (1,), wide)
        x = x.astype(wide).reshape(len(x), self.parts, -1, x.shape[-1])
        powers = exponent * jnp.log(jnp.maximum(x, EPSILON))
        return jnp.exp((jax.nn.logsumexp(powers, 2) - math.log(x.shape[2])) / exponent)
