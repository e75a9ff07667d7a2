"""DINOv2, a vision transformer trained without labels (Oquab et al., arXiv:2304.07193).

An image is cut into patches of 14 x 14 pixels, each of which becomes a token. Before them stands
one of the whole image, the class token. Blocks of attention and of a perceptron map them. Some
networks have registers too, tokens without a meaning of their own behind the class token (Darcet et
al., Vision Transformers Need Registers, ICLR 2024).

`META` and `HUGGING_FACE` are the rules of `gaitjax.interop` for the files that either publishes.
"""

import math
from collections.abc import Mapping
from typing import Any

import flax.core
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.errors import UserError
from gaitjax.models.layers.drop_path import drop_path
from gaitjax.models.layers.video_swin import dense, layer_norm

PATCH = 14  # pixels
TABLE = 37  # positions of an axis that are learnt: those of images of 518 x 518 pixels
EPSILON = 1e-6  # of the layer normalisations
SIZES: Mapping[str, Mapping[str, Any]] = flax.core.FrozenDict(
    {
        "small": {"width": 384, "blocks": 12, "heads": 6},
        "base": {"width": 768, "blocks": 12, "heads": 12},
        "large": {"width": 1024, "blocks": 24, "heads": 16},
        "giant": {"width": 1536, "blocks": 40, "heads": 24, "gated": True},
    }
)


def cubic_weights(
    pixels: int, size: int, scale: float | None = None, antialias: bool = False
) -> np.ndarray:
    """What each entry of an axis contributes to each of the resized one.

    PyTorch's bicubic interpolation with `align_corners=False`: a cubic convolution (Keys, 1981) of
    four entries with a = -0.75, the outermost entries going on beyond the axis. With antialiasing
    a = -0.5, the kernel is as much wider as the axis gets shorter, and nothing lies beyond.

    Args:
        pixels: entries of the axis.
        size: of the resized axis.
        scale: size / pixels, where PyTorch is given another one to place the entries by.
        antialias: as above.

    Returns:
        [size, pixels], rows of sum 1.
    """
    step = pixels / size if scale is None else 1 / scale
    at = (np.arange(size)[:, None] + 0.5) * step - 0.5
    if antialias:
        weights = _cubic((at - np.arange(pixels)) / max(step, 1.0), -0.5)
        weights /= weights.sum(1, keepdims=True)
        return weights
    places = np.floor(at) + np.arange(-1, 3)
    weights = np.zeros((size, pixels))
    rows = np.broadcast_to(np.arange(size)[:, None], places.shape)
    columns = np.clip(places, 0, pixels - 1).astype(int)
    np.add.at(weights, (rows, columns), _cubic(at - places, -0.75))
    return weights


def _cubic(x: np.ndarray, a: float) -> np.ndarray:
    """The cubic convolution kernel at distances x."""
    x = abs(x)
    inner = ((a + 2) * x - (a + 3)) * x * x + 1
    outer = ((x - 5) * x + 8) * a * x - 4 * a
    return np.where(x < 1, inner, np.where(x < 2, outer, 0))


def resize_positions(
    table: jax.Array, height: int, width: int, offset: float, antialias: bool
) -> jax.Array:
    """Resizes learnt positions to the grid of an image's patches.

    Args:
        table: [side, side, C].
        height: of the grid, patches.
        width: of the grid, patches.
        offset: what Meta's code adds to either before it divides by `side` for the scale, 0.1;
            with 0 the scale is that of the sizes.
        antialias: as in `cubic_weights`.

    Returns:
        [height, width, C]; the table itself where it has this size.
    """
    side = table.shape[0]
    if (height, width) == (side, side):
        return table
    rows, columns = (
        jnp.asarray(cubic_weights(side, n, (n + offset) / side, antialias), table.dtype)
        for n in (height, width)
    )
    table = jnp.einsum("ih,hwc->iwc", rows, table, precision="highest")
    return jnp.einsum("jw,iwc->ijc", columns, table, precision="highest")


class Attention(nn.Module):
    """Self-attention of all tokens of an image (Vaswani et al., NeurIPS 2017)."""

    heads: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps tokens [M, K, C] to the same shape."""
        wide = jnp.promote_types(self.dtype, jnp.float32)
        channels = x.shape[-1]
        init = nn.initializers.normal(0.02)
        kernel = self.param("kernel", init, (3, channels, channels), wide)
        bias = self.param("bias", nn.initializers.zeros, (3, channels), wide)
        qkv = jnp.einsum("mkc,scd->smkd", x, kernel.astype(self.dtype))
        qkv = qkv + bias.astype(self.dtype)[:, None, None]
        queries, keys, values = qkv.reshape(*qkv.shape[:3], self.heads, -1)
        queries = queries * queries.shape[-1] ** -0.5
        scores = jnp.einsum("mqhc,mkhc->mhqk", queries, keys, preferred_element_type=wide)
        weights = nn.softmax(scores).astype(self.dtype)
        y = jnp.einsum("mhqk,mkhc->mqhc", weights, values).reshape(x.shape)
        return dense(channels, self.dtype, "proj")(y)


class Block(nn.Module):
    """Attention, then a perceptron, each scaled by channel and added to what it reads.

    The scales are LayerScale (Touvron et al., ICCV 2021).

    Attributes:
        heads: of the attention.
        gated: whether the perceptron is SwiGLU (Shazeer, arXiv:2002.05202).
        drop_path: share of the images that go around either part in training.
        dtype: of the activations.
    """

    heads: int
    gated: bool
    drop_path: float
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Maps tokens [M, K, C] to the same shape."""
        attend = Attention(self.heads, self.dtype, name="attention")
        x = x + self._scaled("scale1", attend(layer_norm(self.dtype, "norm1", EPSILON)(x)), train)
        y = self._perceptron(layer_norm(self.dtype, "norm2", EPSILON)(x))
        return x + self._scaled("scale2", y, train)

    def _perceptron(self, x: jax.Array) -> jax.Array:
        hidden, channels = 4 * x.shape[-1], x.shape[-1]
        if not self.gated:
            y = nn.gelu(dense(hidden, self.dtype, "mlp1")(x), approximate=False)
            return dense(channels, self.dtype, "mlp2")(y)
        hidden = math.ceil(hidden * 2 // 3 / 8) * 8  # as many parameters, in whole eights
        gate, y = jnp.split(dense(2 * hidden, self.dtype, "gated1")(x), 2, -1)
        return dense(channels, self.dtype, "gated2")(nn.silu(gate) * y)

    def _scaled(self, name: str, x: jax.Array, train: bool) -> jax.Array:
        wide = jnp.promote_types(self.dtype, jnp.float32)
        scale = self.param(name, nn.initializers.ones, x.shape[-1:], wide)
        return drop_path(x * scale.astype(self.dtype), self.drop_path, train)


class DINOv2(nn.Module):
    """The transformer.

    Attributes:
        width: channels of a token.
        blocks: how many.
        heads: of the attention.
        gated: whether the perceptrons are SwiGLU, as the giant's are.
        registers: how many: 0, or 4 in the networks that are published with them.
        offset: of the resized positions, see `resize_positions`: 0.1 as in Meta's networks without
            registers, 0 as in those with them and in Hugging Face's.
        table: positions of an axis that are learnt.
        drop_path: rate of the last block; that of the first is 0, and between it grows linearly.
        dtype: of the activations.
    """

    width: int = 384
    blocks: int = 12
    heads: int = 6
    gated: bool = False
    registers: int = 0
    offset: float = 0.0
    table: int = TABLE
    drop_path: float = 0.0
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(self, x: jax.Array, train: bool = False) -> tuple[list[jax.Array], jax.Array]:
        """Maps images [M, H, W, 3], normalised by ImageNet's colours.

        Args:
            x: the images; H and W are multiples of 14 pixels.
            train: whether drop path acts.

        Returns:
            The tokens behind every block, and those of the last one normalised, each [M, K, width]:
            the class token, the registers, and the patches row by row.

        Raises:
            UserError: for images that are not made up of whole patches, or heads of unlike widths.
        """
        x = self._tokens(x)
        states = []
        for i, rate in enumerate(np.linspace(0, self.drop_path, self.blocks).tolist()):
            block = Block(self.heads, self.gated, rate, self.dtype, name=f"block{i}")
            x = block(x, train)
            states.append(x)
        return states, layer_norm(self.dtype, "norm", EPSILON)(x)

    def _tokens(self, x: jax.Array) -> jax.Array:
        images, height, width, _ = x.shape
        if height % PATCH or width % PATCH:
            raise UserError(
                f"images of {height} x {width} pixels; DINOv2 reads multiples of {PATCH}: choose "
                "another config.model.image"
            )
        if self.width % self.heads:
            raise UserError(
                f"config.model.vision.heads is {self.heads}; expected a divisor of its width, "
                f"{self.width}"
            )
        wide = jnp.promote_types(self.dtype, jnp.float32)
        init = nn.initializers.normal(0.02)
        positions = self.param("positions", init, (1, 1 + self.table**2, self.width), wide)
        self.param("mask_token", nn.initializers.zeros, (1, self.width), wide)  # of its training
        token = self.param("class_token", nn.initializers.normal(1e-6), (1, 1, self.width), wide)
        patches = nn.Conv(
            self.width,
            (PATCH, PATCH),
            strides=PATCH,
            padding="VALID",
            dtype=self.dtype,
            param_dtype=wide,
            name="patches",
        )(x.astype(self.dtype))
        table = positions[0, 1:].reshape(self.table, self.table, -1)
        rows, columns = patches.shape[1:3]
        places = resize_positions(table, rows, columns, self.offset, self.registers > 0)
        patches = (patches + places.astype(self.dtype)).reshape(images, -1, self.width)
        first = [token + positions[:, :1]]
        if self.registers:
            init = nn.initializers.normal(1e-6)
            first.append(self.param("registers", init, (1, self.registers, self.width), wide))
        repeated = [jnp.repeat(x.astype(self.dtype), images, 0) for x in first]
        return jnp.concatenate([*repeated, patches], 1)


META = [
    ("class_token", "cls_token", "as_is"),
    ("positions", "pos_embed", "as_is"),
    ("mask_token", "mask_token", "as_is"),
    ("registers", "register_tokens", "as_is"),
    ("patches", "patch_embed.proj", "conv"),
    ("block{i}/norm{k}", "blocks.{i}.norm{k}", "layer_norm"),
    ("block{i}/attention", "blocks.{i}.attn.qkv", "joined_linear"),
    ("block{i}/attention/proj", "blocks.{i}.attn.proj", "linear"),
    ("block{i}/scale{k}", "blocks.{i}.ls{k}.gamma", "as_is"),
    ("block{i}/mlp{k}", "blocks.{i}.mlp.fc{k}", "linear"),
    ("block{i}/gated1", "blocks.{i}.mlp.w12", "linear"),
    ("block{i}/gated2", "blocks.{i}.mlp.w3", "linear"),
    ("norm", "norm", "layer_norm"),
]
_LAYER = "encoder.layer.{i}"
HUGGING_FACE = [
    ("class_token", "embeddings.cls_token", "as_is"),
    ("positions", "embeddings.position_embeddings", "as_is"),
    ("mask_token", "embeddings.mask_token", "as_is"),
    ("registers", "embeddings.register_tokens", "as_is"),
    ("patches", "embeddings.patch_embeddings.projection", "conv"),
    ("block{i}/norm{k}", f"{_LAYER}.norm{{k}}", "layer_norm"),
    ("block{i}/attention", f"{_LAYER}.attention.attention.{{query|key|value}}", "linear"),
    ("block{i}/attention/proj", f"{_LAYER}.attention.output.dense", "linear"),
    ("block{i}/scale{k}", f"{_LAYER}.layer_scale{{k}}.lambda1", "as_is"),
    ("block{i}/mlp{k}", f"{_LAYER}.mlp.fc{{k}}", "linear"),
    ("block{i}/gated1", f"{_LAYER}.mlp.weights_in", "linear"),
    ("block{i}/gated2", f"{_LAYER}.mlp.weights_out", "linear"),
    ("norm", "layernorm", "layer_norm"),
]
