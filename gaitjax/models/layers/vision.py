"""Maps of colour images that a large vision model makes, and that is not trained with the rest."""

from collections.abc import Callable, Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models.layers.dinov2 import EPSILON, DINOv2
from gaitjax.models.layers.frames import pick

BOX = (256, 128)  # height and width that frames of other shapes are brought to, pixels


def normalise(x: jax.Array) -> jax.Array:
    """Layer normalisation of the last axis, without parameters."""
    wide = x.astype(jnp.promote_types(x.dtype, jnp.float32))
    mean = wide.mean(-1, keepdims=True)
    variance = jnp.mean((wide - mean) ** 2, -1, keepdims=True)
    return ((wide - mean) * jax.lax.rsqrt(variance + EPSILON)).astype(x.dtype)


def resize(x: jax.Array, width: int) -> jax.Array:
    """Resizes [..., H, W, C] to [..., 2 * width, width, C], bilinear, edges on edges."""
    return _resize(x, 2 * width, width)


def person_columns(ratio: jax.Array, height: int, width: int) -> tuple[jax.Array, jax.Array]:
    """Where a person of some shape lies in the middle of a frame.

    Args:
        ratio: [...], width / height of the person's box, float32.
        height: of the frame, which the box fills.
        width: of the frame.

    Returns:
        First column, negative for a box that is wider than the frame, and number of columns, both
        [...].
    """
    wide = jnp.floor(height * ratio)
    return jnp.floor((width - wide) / 2), wide


def inside_box(ratio: jax.Array, height: int, width: int) -> jax.Array:
    """Which pixels are the person's box, see `person_columns`: bool [..., height, width]."""
    left, wide = (x[..., None] for x in person_columns(ratio, height, width))
    columns = jnp.arange(width)
    inside = (columns >= left) & (columns < left + wide)
    return jnp.broadcast_to(inside[..., None, :], (*inside.shape[:-1], height, width))


def person_frames(inputs: Mapping[str, jax.Array], dtype: Any) -> jax.Array:
    """Frames that hold each person in its own shape.

    Args:
        inputs: 'rgb' [N, T, H, W, 3]. A frame that is twice as high as wide holds the person's box
            in its own shape, padded at its sides; any other one is the box, stretched, and needs
            'ratio' [N, T], width / height of the box.
        dtype: of the result.

    Returns:
        [N, T, 2 * W, W, 3].

    Raises:
        UserError: if the batch lacks what is needed.
    """
    rgb = pick(inputs, "rgb", dtype)
    if rgb.shape[2] == 2 * rgb.shape[3]:
        return rgb
    if "ratio" not in inputs:
        raise UserError(
            f"frames of {rgb.shape[2]} x {rgb.shape[3]} pixels are taken for stretched boxes, "
            "whose ratio is needed; name it in config.data.modalities, or prepare frames twice as "
            "high as wide, with people in their own shape"
        )
    return unstretch(rgb, pick(inputs, "ratio", jnp.float32))


def unstretch(x: jax.Array, ratio: jax.Array) -> jax.Array:
    """Gives boxes that were stretched to one shape their own shape again, in a frame of `BOX`.

    Args:
        x: [..., H, W, C].
        ratio: [...], width / height of each box before it was stretched, float32.

    Returns:
        [..., 256, 128, C], 0 beside the person; what is wider is cut.
    """
    height, width = BOX
    left, wide = (a[..., None] for a in person_columns(ratio, height, width))
    columns = jnp.arange(width)
    at = (columns - left + 0.5) * x.shape[-2] / jnp.maximum(wide, 1) - 0.5
    distance = jnp.clip(at, 0, x.shape[-2] - 1)[..., None] - jnp.arange(x.shape[-2])
    inside = (columns >= left) & (columns < left + wide)
    weights = jnp.where(inside[..., None], jax.nn.relu(1 - abs(distance)), 0).astype(x.dtype)
    x = jnp.einsum("...jw,...hwc->...hjc", weights, x, precision="highest")
    return _resize(x, height, width)


def _resize(x: jax.Array, height: int, width: int) -> jax.Array:
    shape = (*x.shape[:-3], height, width, x.shape[-1])
    resized: jax.Array = jax.image.resize(x, shape, "bilinear", antialias=False)
    return resized


def read_frames(
    read: Callable[[DINOv2, jax.Array], tuple[jax.Array, ...]],
    vision: DINOv2,
    frames: jax.Array,
    width: int,
) -> tuple[jax.Array, ...]:
    """Maps that `read` makes of every frame, without gradients.

    One frame of every sequence at a time: the attention of all of them would fill a memory.

    Args:
        read: the transformer, images [N, 2 * width, width, 3] -> maps of some arrays [N, ...].
        vision: the transformer.
        frames: [N, T, H, W, 3].
        width: that frames are resized to, pixels.

    Returns:
        Arrays [N, T, ...].
    """

    def step(module: DINOv2, carry: None, images: jax.Array) -> tuple[None, Any]:
        return carry, read(module, resize(images, width))

    scan = nn.scan(
        step, variable_broadcast="params", split_rngs={"params": False}, in_axes=1, out_axes=1
    )
    maps: tuple[jax.Array, ...] = jax.lax.stop_gradient(scan(vision, None, frames)[1])
    return maps


def grid(tokens: jax.Array, vision: DINOv2) -> jax.Array:
    """The patches among tokens [M, K, C] as a map twice as high as wide: [M, H, W, C]."""
    patches = tokens[:, 1 + vision.registers :]
    width = round((patches.shape[1] / 2) ** 0.5)
    return patches.reshape(len(patches), 2 * width, width, -1)
