"""Pooling over time and over horizontal strips."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models.layers.padding import valid_frames


def largest(x: jax.Array, axis: int) -> jax.Array:
    """The maximum over an axis; the first place that has it gets the whole gradient, as in PyTorch.

    The gradient of `jnp.max` is shared by all places that equal the maximum. There are none, and it
    is NaN, where XLA computes x once more for this and rounds it otherwise.
    """
    first = jnp.argmax(x, axis, keepdims=True)
    places = jax.lax.broadcasted_iota(first.dtype, x.shape, axis % x.ndim)
    return jnp.sum(jnp.where(places == first, x, 0), axis)


def set_max(x: jax.Array, lengths: jax.Array) -> jax.Array:
    """The maximum over a sequence's frames: set pooling (Chao et al., GaitSet, AAAI 2019).

    Args:
        x: [N, T, ...].
        lengths: [N]; frames behind them are left out.

    Returns:
        [N, ...].
    """
    valid = valid_frames(lengths, x.shape[1]).reshape(x.shape[:2] + (1,) * (x.ndim - 2))
    return largest(jnp.where(valid, x, -jnp.inf), 1)


def horizontal_pyramid(x: jax.Array, bins: Sequence[int]) -> jax.Array:
    """Mean plus maximum of horizontal strips, at several scales (Fu et al., HPM, AAAI 2019).

    Args:
        x: [N, H, W, C].
        bins: numbers of strips; each must divide H * W.

    Returns:
        [N, sum(bins), C], the scales one after another, each from top to bottom.

    Raises:
        UserError: if a number of strips does not divide H * W.
    """
    n, height, width, channels = x.shape
    parts = []
    for strips in bins:
        if height * width % strips:
            raise UserError(
                f"{strips} strips do not divide a map of {height} x {width}; choose others in "
                "config.model.bins"
            )
        strip = x.reshape(n, strips, -1, channels)
        parts.append(strip.mean(2) + largest(strip, 2))
    return jnp.concatenate(parts, axis=1)


def max_pool_2x2(x: jax.Array) -> jax.Array:
    """The maximum of every 2 x 2 square: [..., H, W, C] -> [..., H // 2, W // 2, C].

    Among equal values the first one is taken, and gets the whole gradient, as in PyTorch. Choosing
    among four slices differentiates into elementwise work; `nn.max_pool` would scatter, which is
    slow on the CPU.
    """
    height, width = x.shape[-3] // 2 * 2, x.shape[-2] // 2 * 2
    corners = [x[..., i:height:2, j:width:2, :] for i in (0, 1) for j in (0, 1)]
    return _first_max(_first_max(*corners[:2]), _first_max(*corners[2:]))


def _first_max(a: jax.Array, b: jax.Array) -> jax.Array:
    return jnp.where(a >= b, a, b)
