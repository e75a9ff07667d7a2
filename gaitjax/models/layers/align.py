"""Silhouettes on unaligned frames: their edges, their boxes, and how they are aligned.

GaitEdge (Liang et al., ECCV 2022). All are pure functions of single frames, over any leading axes.
"""

import math

import jax
import jax.numpy as jnp


def dilate(x: jax.Array, size: int) -> jax.Array:
    """The largest value of the square around every pixel, within the frame.

    Args:
        x: [..., H, W].
        size: of the square, odd, pixels.

    Returns:
        An array like x.
    """
    window, strides = (1,) * (x.ndim - 2) + (size, size), (1,) * x.ndim
    largest: jax.Array = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, strides, "SAME")
    return largest


def erode(x: jax.Array, size: int) -> jax.Array:
    """The smallest value of the square around every pixel, as `dilate`."""
    return -dilate(-x, size)


def synthesise(probabilities: jax.Array, silhouettes: jax.Array, size: int) -> jax.Array:
    """Silhouettes whose edges are the predicted probabilities, and whose inside is given.

    Args:
        probabilities: [..., H, W].
        silhouettes: [..., H, W] in 0..1.
        size: of the square that dilation and erosion look at, pixels; the edge is between them.

    Returns:
        [..., H, W]; 0 outside.
    """
    inside = erode(silhouettes, size) > 0.5
    edge = (dilate(silhouettes, size) > 0.5) ^ inside
    return jnp.where(edge, probabilities, 0) + jnp.where(inside, silhouettes, 0)


def align(x: jax.Array, mask: jax.Array, ratio: jax.Array, height: int, width: int) -> jax.Array:
    """Cuts out the person, centred, as high as the result.

    Differentiable in x.

    Args:
        x: [..., H, W], what is cut.
        mask: [..., H, W] in 0..1, where the person is.
        ratio: [...], width / height of the box that the frame was cut from, before it became
            H x W.
        height: of the result, pixels.
        width: of the result, pixels.

    Returns:
        [..., height, width].
    """
    box = person_box(mask, ratio, height, width)
    around = [(0, 0)] * (x.ndim - 1) + [(width // 2, width // 2)]
    return roi_align(jnp.pad(x, around), box, height, width)


def person_box(mask: jax.Array, ratio: jax.Array, height: int, width: int) -> jax.Array:
    """What `align` cuts out: left, top, right and bottom [..., 4] in the frame with its borders.

    A frame has borders of width // 2 pixels at its left and right. An empty mask has a box outside
    of the frame.
    """
    H, W = mask.shape[-2:]
    rows = jnp.cumsum(mask.sum(-1) >= 1, -1)
    top = jnp.sum(rows == 0, -1)
    bottom = jnp.sum(rows != rows[..., -1:], -1) + 1
    columns = mask.sum(-2)
    centre = jnp.sum(jnp.cumsum(columns, -1) < columns.sum(-1, keepdims=True) / 2, -1)
    centre = centre + width // 2
    # What the result is wider than the person's frame, in pixels of the frame.
    border = jnp.maximum((width - height * ratio) / 2, 0) / (ratio * height / W)
    half = (bottom - top) * W / H / 2 + border
    left, right = (jnp.clip(x, 0, W + width // 2 * 2) for x in (centre - half, centre + half))
    return jnp.stack([left, top.astype(left.dtype), right, bottom.astype(left.dtype)], -1)


def roi_align(x: jax.Array, box: jax.Array, height: int, width: int) -> jax.Array:
    """RoIAlign (He et al., Mask R-CNN, ICCV 2017): bilinear means over the bins of a box.

    A box is cut into height x width bins, and each bin is the mean of as many samples as it has
    pixels, rounded up on either axis. Samples are products of one that is bilinear in the row and
    one in the column, so that their means are two products of matrices.

    Args:
        x: [..., H, W].
        box: [..., 4], left, top, right, bottom in pixels, the centre of the first one at 0; no
            larger than the frame. One that is smaller than a pixel is taken as a pixel.
        height: of the result.
        width: of the result.

    Returns:
        [..., height, width].
    """
    left, top, right, bottom = jnp.moveaxis(box, -1, 0)
    rows = bin_weights(top, bottom, height, x.shape[-2])
    columns = bin_weights(left, right, width, x.shape[-1])
    return jnp.einsum("...ih,...hw,...jw->...ij", rows, x, columns, precision="highest")


def bin_weights(start: jax.Array, stop: jax.Array, bins: int, pixels: int) -> jax.Array:
    """What each pixel of an axis contributes to each bin of `roi_align`: [..., bins, pixels].

    Samples further than a pixel before the first or behind the last one are 0; others outside are
    the outermost pixel.
    """
    size = jnp.maximum(stop - start, 1)[..., None, None] / bins
    samples = jnp.ceil(size)
    k = jnp.arange(math.ceil(pixels / bins))
    at = start[..., None, None] + size * (jnp.arange(bins)[:, None] + (k + 0.5) / samples)
    counts = (k < samples) & (at >= -1) & (at <= pixels)
    distance = jnp.clip(at, 0, pixels - 1)[..., None] - jnp.arange(pixels)
    weights = jnp.where(counts[..., None], jax.nn.relu(1 - abs(distance)), 0)
    return weights.sum(-2) / samples
