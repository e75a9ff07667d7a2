"""Video Swin Transformer: attention within shifted windows (Liu et al., CVPR 2022).

Videos are cut into windows of some frames, rows and columns, and tokens attend to those of their
window. In every other block the windows are shifted by half of their size, so that neighbours
exchange what they know. Along height and width they are shifted cyclically, and what lies at either
end of the video does not attend to the other end.

Along time the windows depend on the length of each sequence. It ends with frames of zeros that fill
its last window and are attended to. One that is no longer than a window is its own window, without
such frames, and is never shifted.
"""

import functools
import math
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.drop_path import drop_path
from gaitjax.models.layers.padding import valid_frames, zero_padding

Size = tuple[int, int, int]  # frames, rows, columns


def partition(x: jax.Array, window: Size) -> jax.Array:
    """Cuts [N, T, H, W, ...] into windows [N * windows, tokens, ...]; they must fill it."""
    t, h, w = window
    n, frames, height, width, *rest = x.shape
    x = x.reshape(n, frames // t, t, height // h, h, width // w, w, *rest)
    return jnp.moveaxis(x, (2, 4, 6), (4, 5, 6)).reshape(-1, math.prod(window), *rest)


def merge(windows: jax.Array, window: Size, shape: Sequence[int]) -> jax.Array:
    """The array of this shape [N, T, H, W, ...] that `partition` cuts into these windows."""
    n, *sizes = shape[:4]
    counts = [size // step for size, step in zip(sizes, window, strict=True)]
    x = windows.reshape(n, *counts, *window, *shape[4:])
    return jnp.moveaxis(x, (4, 5, 6), (2, 4, 6)).reshape(shape)


def shift_windows(
    x: jax.Array, lengths: jax.Array, window: Size, shift: Size
) -> tuple[jax.Array, jax.Array]:
    """Moves videos so that windows at multiples of `window` are shifted windows of the video.

    Along time nothing has to be cyclic: what a cyclic shift would bring to the other end may attend
    to itself alone, so it may as well stay in a window of its own.

    Args:
        x: [N, T, H, W, C]; frames that do not count are 0. H and W are multiples of the window, and
            larger.
        lengths: [N], frames that count.
        window: frames, rows and columns.
        shift: by how many of them.

    Returns:
        The moved videos [N, T', H, W, C] with T' a multiple of the window, and the region of each
        token, int [N, T', H, W]: tokens of a window attend to those of their own region.
    """
    height, width = x.shape[2:4]
    t, front = window[0], -shift[0] % window[0]
    frames = -(-x.shape[1] // t) * t + (t if front else 0)
    x = jnp.pad(x, ((0, 0), (0, frames - x.shape[1]), (0, 0), (0, 0), (0, 0)))
    x = _roll(x, lengths > t, (front, -shift[1], -shift[2]))

    time = jnp.arange(frames) - jnp.where(lengths > t, front, 0)[:, None]
    end = jnp.where(lengths > t, -(-lengths // t) * t, lengths)
    inside = (time >= 0) & (time < end[:, None])
    rows = jnp.arange(height) >= height - shift[1]
    columns = jnp.arange(width) >= width - shift[2]
    return x, 4 * inside[:, :, None, None] + 2 * rows[:, None] + columns


def unshift_windows(
    x: jax.Array, lengths: jax.Array, frames: int, window: Size, shift: Size
) -> jax.Array:
    """Moves [N, T', H, W, C] back to [N, frames, H, W, C], see `shift_windows`."""
    front = -shift[0] % window[0]
    return _roll(x, lengths > window[0], (-front, shift[1], shift[2]))[:, :frames]


def _roll(x: jax.Array, long: jax.Array, by: Size) -> jax.Array:
    """Rolls frames, rows and columns of [N, T, H, W, C]; frames only of the long sequences."""
    x = jnp.roll(x, by[1:], (2, 3))
    return jnp.where(long[:, None, None, None, None], jnp.roll(x, by[0], 1), x)


def relative_position_index(window: Size) -> np.ndarray:
    """Which row of the table of biases is for which pair of tokens: int [tokens, tokens].

    Args:
        window: frames, rows and columns.
    """
    positions = np.indices(window).reshape(3, -1)
    distances = positions[:, :, None] - positions[:, None]
    from_zero = distances + np.array(window)[:, None, None] - 1
    index: np.ndarray = np.ravel_multi_index(tuple(from_zero), [2 * size - 1 for size in window])
    return index


def dense(features: int, dtype: Any, name: str, bias: bool = True) -> nn.Dense:
    """A linear layer with weights of N(0, 0.02)."""
    return nn.Dense(
        features,
        use_bias=bias,
        kernel_init=nn.initializers.normal(0.02),
        dtype=dtype,
        param_dtype=jnp.promote_types(dtype, jnp.float32),
        name=name,
    )


def layer_norm(dtype: Any, name: str, epsilon: float = 1e-5) -> nn.LayerNorm:
    """Layer normalisation (Ba et al., arXiv:1607.06450), as PyTorch computes it."""
    wide = jnp.promote_types(dtype, jnp.float32)
    return nn.LayerNorm(epsilon, dtype, wide, use_fast_variance=False, name=name)


class WindowAttention(nn.Module):
    """Self-attention within windows, with a bias by relative position.

    Attributes:
        heads: of the attention.
        window: frames, rows and columns.
        shift: by how many of them the windows are shifted.
        dtype: of the activations.
    """

    heads: int
    window: Size
    shift: Size
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, lengths: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to the same shape; lengths [N] are the frames that count."""
        frames, channels = x.shape[1], x.shape[-1]
        x = zero_padding(x, valid_frames(lengths, frames))
        x, regions = shift_windows(x, lengths, self.window, self.shift)
        qkv = dense(3 * channels, self.dtype, "qkv")(partition(x, self.window))
        y = self._attend(qkv, partition(regions, self.window))
        y = merge(dense(channels, self.dtype, "proj")(y), self.window, x.shape)
        return unshift_windows(y, lengths, frames, self.window, self.shift)

    def _attend(self, qkv: jax.Array, regions: jax.Array) -> jax.Array:
        """Maps windows [M, tokens, 3 * C] to [M, tokens, C]; regions is [M, tokens]."""
        wide = jnp.promote_types(self.dtype, jnp.float32)
        table = self.param(
            "relative_position_bias",
            nn.initializers.normal(0.02),
            (math.prod(2 * size - 1 for size in self.window), self.heads),
            wide,
        )
        bias = table[relative_position_index(self.window)]
        queries, keys, values = jnp.moveaxis(qkv.reshape(*qkv.shape[:2], 3, self.heads, -1), 2, 0)
        queries = queries * queries.shape[-1] ** -0.5
        scores = jnp.einsum("mqhc,mkhc->mhqk", queries, keys, preferred_element_type=wide)
        together = (regions[:, :, None] == regions[:, None])[:, None]
        scores = jnp.where(together, scores + jnp.moveaxis(bias, -1, 0), -jnp.inf)
        weights = nn.softmax(scores).astype(self.dtype)
        return jnp.einsum("mhqk,mkhc->mqhc", weights, values).reshape(*qkv.shape[:2], -1)


class Block(nn.Module):
    """Attention within windows, then a perceptron of two layers, each beside a shortcut.

    Attributes:
        heads: of the attention.
        window: frames, rows and columns.
        shift: by how many of them the windows are shifted.
        drop_path: share of the sequences that go around either part in training.
        dtype: of the activations.
    """

    heads: int
    window: Size
    shift: Size
    drop_path: float
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, lengths: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to the same shape; lengths [N] are the frames that count."""
        attend = WindowAttention(self.heads, self.window, self.shift, self.dtype, name="attention")
        y = attend(layer_norm(self.dtype, "norm1")(x), lengths)
        x = x + drop_path(y, self.drop_path, train)
        y = dense(4 * x.shape[-1], self.dtype, "mlp1")(layer_norm(self.dtype, "norm2")(x))
        y = dense(x.shape[-1], self.dtype, "mlp2")(nn.gelu(y, approximate=False))
        return x + drop_path(y, self.drop_path, train)


class VideoSwin(nn.Module):
    """A Video Swin Transformer that does not merge patches between its stages.

    Attributes:
        channels: of each stage.
        blocks: of each stage.
        heads: of the attention, of each stage.
        window: frames, rows and columns.
        drop_path: rate of the last block; that of the first is 0, and between it grows linearly.
        dtype: of the activations.
        remat: whether to compute each block again for its gradient, which saves memory.
    """

    channels: Sequence[int]
    blocks: Sequence[int]
    heads: Sequence[int]
    window: Size
    drop_path: float
    dtype: Any
    remat: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, lengths: jax.Array) -> jax.Array:
        """Embeds videos.

        Args:
            x: [N, T, H, W, C]; H / 2 and W / 2 are multiples of the window, and larger.
            train: whether drop path acts.
            lengths: [N], frames that count; others may hold anything.

        Returns:
            [N, T, H / 2, W / 2, the last of channels].
        """
        block: Any = nn.remat(Block, static_argnums=(2,)) if self.remat else Block
        rates = iter(np.linspace(0, self.drop_path, sum(self.blocks)).tolist())
        steps = (1, 2, 2)
        x = conv(self.channels[0], steps, self.dtype, "patches", steps, (0, 0, 0), bias=True)(x)
        x = layer_norm(self.dtype, "patches_norm")(x)
        stages = zip(self.channels, self.blocks, self.heads, strict=True)
        for i, (channels, blocks, heads) in enumerate(stages):
            if i:
                x = layer_norm(self.dtype, f"widen{i}_norm")(x)
                x = dense(channels, self.dtype, f"widen{i}", bias=False)(x)
            for j in range(blocks):
                shift = tuple(size // 2 for size in self.window) if j % 2 else (0, 0, 0)
                make = functools.partial(block, heads, self.window, shift, next(rates), self.dtype)
                x = make(name=f"stage{i}_{j}")(x, train, lengths)
        y: jax.Array = layer_norm(self.dtype, "norm")(x)
        return y
