"""The frames that a network reads."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gaitjax.errors import UserError


def pick(inputs: Mapping[str, jax.Array], modality: str, dtype: Any) -> jax.Array:
    """One modality [N, T, ...] of a batch, in `dtype`.

    Raises:
        UserError: if the batch has no such modality.
    """
    if modality not in inputs:
        raise UserError(
            f"the network reads {modality}, the batch has {', '.join(sorted(inputs))}; name it in "
            "config.data.modalities"
        )
    return jnp.asarray(inputs[modality], dtype)


def images(inputs: Mapping[str, jax.Array], modality: str, dtype: Any) -> jax.Array:
    """The images of one modality, with an axis of channels.

    Args:
        inputs: modality -> [N, T, H, W] or [N, T, H, W, C].
        modality: which one.
        dtype: of the result.

    Returns:
        [N, T, H, W, C]; C is 1 where the modality has no channels.

    Raises:
        UserError: if the batch has no such modality.
    """
    x = pick(inputs, modality, dtype)
    return x if x.ndim == 5 else x[..., None]


def reverse(x: jax.Array, lengths: jax.Array) -> jax.Array:
    """Lets the time of [N, T, ...] run backwards within lengths [N]; padding stays."""
    time = jnp.arange(x.shape[1])
    turned = lengths[:, None] - 1 - time
    index = jnp.where(turned < 0, time, turned).reshape(*x.shape[:2], *[1] * (x.ndim - 2))
    return jnp.take_along_axis(x, index, 1)
