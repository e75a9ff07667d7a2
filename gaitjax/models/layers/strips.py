"""Horizontal strips of a map, each treated by itself."""

from collections.abc import Callable

import jax
import jax.numpy as jnp

from gaitjax.errors import UserError


def in_strips(
    x: jax.Array, axis: int, height: int, f: Callable[[jax.Array], jax.Array]
) -> jax.Array:
    """Applies f to every strip by itself, so that none sees its neighbours.

    With a convolution it is the focal convolution of Fan et al., GaitPart, CVPR 2020, and the local
    one of Lin et al., GaitGL, ICCV 2021.

    Args:
        x: [..., H, ...].
        axis: which one is H.
        height: rows of a strip; the last one is shorter where it does not divide H.
        f: maps a strip to one of the same height.

    Returns:
        The results one below the other.

    Raises:
        UserError: if a strip has no rows.
    """
    if height < 1:
        raise UserError(
            f"a map of {x.shape[axis]} rows is cut into more strips than that; expected at least "
            "one row a strip: take higher frames, or fewer strips in config.model"
        )
    strips = jnp.split(x, list(range(height, x.shape[axis], height)), axis)
    return jnp.concatenate([f(strip) for strip in strips], axis)
