"""Binary cross entropy of every pixel of segmented frames."""

import jax
import jax.numpy as jnp


def loss(
    probabilities: jax.Array, target: jax.Array, mask: jax.Array, epsilon: float = 1e-9
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """-(y log(p + epsilon) + (1 - y) log(1 - p + epsilon)), averaged over pixels of valid frames.

    Args:
        probabilities: p, [N, T, H, W].
        target: y, [N, T, H, W] in 0..1.
        mask: bool [N, T], the frames that count.
        epsilon: keeps the logarithms finite.

    Returns:
        The loss, and the scalars 'loss', 'hard_loss' (the largest pixel's) and 'miou' (the mean
        over frames of the `overlap` of p > 0.5 with y).
    """
    wide = jnp.promote_types(probabilities.dtype, jnp.float32)
    p, y = probabilities.astype(wide), target.astype(wide)
    each = -(y * jnp.log(p + epsilon) + (1 - y) * jnp.log(1 - p + epsilon))
    value = jnp.mean(each, (2, 3))
    scalars = {
        "loss": jnp.mean(value, where=mask),
        "hard_loss": jnp.max(each, where=mask[..., None, None], initial=-jnp.inf),
        "miou": jnp.mean(overlap(p > 0.5, y), where=mask),
    }
    return scalars["loss"], scalars


def overlap(predicted: jax.Array, target: jax.Array) -> jax.Array:
    """The intersection of masks over their union.

    Args:
        predicted: [..., H, W], 0 or 1.
        target: [..., H, W] in 0..1.

    Returns:
        [...]; 0 where both are empty, as in OpenGait.
    """
    union = jnp.sum((predicted > 0) | (target > 0), (-2, -1))
    return jnp.sum(predicted * target, (-2, -1)) / jnp.maximum(union, 1)
