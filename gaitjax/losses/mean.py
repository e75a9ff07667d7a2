"""A term that the network computes by itself."""

import jax
import jax.numpy as jnp


def loss(values: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
    """The mean of values of any shape, and that as the scalar 'loss'."""
    value = jnp.mean(values.astype(jnp.promote_types(values.dtype, jnp.float32)))
    return value, {"loss": value}
