"""Stochastic depth (Huang et al., ECCV 2016)."""

import flax.linen as nn
import jax


def drop_path(x: jax.Array, rate: float, train: bool) -> jax.Array:
    """Leaves out what a block adds to whole sequences, within a module's `__call__`.

    Args:
        x: [N, ...], what is added.
        rate: share of the sequences for which it is left out; the others are scaled up.
        train: whether it acts.

    Returns:
        An array like x.
    """
    others = tuple(range(1, x.ndim))
    y: jax.Array = nn.Dropout(rate, broadcast_dims=others, deterministic=not train)(x)
    return y
