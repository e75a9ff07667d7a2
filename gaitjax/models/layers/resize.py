"""Resizing of images."""

import jax
import jax.numpy as jnp
import numpy as np


def resize_bilinear(x: jax.Array, height: int, width: int) -> jax.Array:
    """Resizes images so that the centres of their corner pixels stay where they are.

    PyTorch calls this `align_corners=True`; `jax.image.resize` aligns the edges of the image.

    Args:
        x: [..., H, W, C].
        height: of the result, pixels.
        width: of the result, pixels.

    Returns:
        [..., height, width, C].
    """
    rows, columns = (
        jnp.asarray(_weights(*sizes), x.dtype)
        for sizes in ((x.shape[-3], height), (x.shape[-2], width))
    )
    x = jnp.einsum("ih,...hwc->...iwc", rows, x, precision="highest")
    return jnp.einsum("jw,...iwc->...ijc", columns, x, precision="highest")


def _weights(pixels: int, size: int) -> np.ndarray:
    """What each pixel of an axis contributes to each of the result: [size, pixels]."""
    at = np.linspace(0, pixels - 1, size)
    return np.maximum(1 - abs(at[:, None] - np.arange(pixels)), 0)
