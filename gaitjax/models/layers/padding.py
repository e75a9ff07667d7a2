"""Frames behind the end of a sequence: which they are, and how to take them out."""

import jax
import jax.numpy as jnp


def valid_frames(lengths: jax.Array, frames: int) -> jax.Array:
    """Which frames count: bool [N, T], true where t < lengths[n]."""
    return jnp.arange(frames) < lengths[:, None]


def zero_padding(x: jax.Array, valid: jax.Array) -> jax.Array:
    """Sets what does not count to 0, as a convolution over time or an average needs it.

    Args:
        x: [N, T, ...].
        valid: bool [N, T].

    Returns:
        An array like x.
    """
    return jnp.where(valid.reshape(*valid.shape, *[1] * (x.ndim - 2)), x, 0)


def mean_of_valid(x: jax.Array, valid: jax.Array) -> jax.Array:
    """The mean over the frames that count: x [N, T, ...], bool [N, T] -> [N, ...]."""
    count = valid.sum(1).reshape(-1, *[1] * (x.ndim - 2))
    return zero_padding(x, valid).sum(1) / count
