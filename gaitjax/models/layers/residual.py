"""Residual stages over images and videos, of which DeepGaitV2 and its kin are made.

Blocks of three kinds, by `mode`: '2d' looks at frames one by one, 'p3d' and '3d' mix them (Fan et
al., Exploring Deep Models for Practical Gait Recognition, arXiv:2303.03301). In p3d mode the first
layers of such a network are

    x = stem(x, 64, 1, dtype, train, valid)
    x = Stage("p3d", 128, 1, 2, dtype, name="layer2")(x, train, valid)

with x [N, T, H, W, C] and valid [N, T]. `OPENGAIT` has the rules of layers of these names.
"""

from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax

from gaitjax.errors import UserError
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.padding import zero_padding
from gaitjax.models.layers.resnet import BasicBlock, shortcut


class ConvBN(nn.Module):
    """A convolution of single frames, BatchNorm and ReLU.

    Attributes:
        features: channels of the result.
        kernel: its height and width.
        dtype: of the activations.
    """

    features: int
    kernel: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H, W, features]; valid [N, T] counts in the statistics."""
        x = conv(self.features, self.kernel, self.dtype, "conv")(x)
        return nn.relu(BatchNorm(self.dtype, name="bn")(x, train, valid))


class BasicBlockP3D(nn.Module):
    """A basic block with a convolution over time, and a shortcut around that one too.

    It is a variant of pseudo-3-D blocks (Qiu et al., ICCV 2017).
    """

    features: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H / stride, W / stride, features]."""
        y = conv(self.features, 3, self.dtype, "conv1", self.stride)(x)
        y = nn.relu(BatchNorm(self.dtype, name="bn1")(y, train, valid))
        z = conv(self.features, (3, 1, 1), self.dtype, "conv_time")(zero_padding(y, valid))
        y = nn.relu(y + BatchNorm(self.dtype, name="bn_time")(z, train, valid))
        y = conv(self.features, 3, self.dtype, "conv2")(y)
        y = BatchNorm(self.dtype, name="bn2")(y, train, valid)
        x = shortcut(x, self.features, self.stride, self.dtype, train, valid, (1, 1, 1))
        return nn.relu(x + y)


class BasicBlock3D(nn.Module):
    """A basic block of 3 x 3 x 3 convolutions; time is not strided."""

    features: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H / stride, W / stride, features]."""
        cube, strides = (3, 3, 3), (1, self.stride, self.stride)
        y = conv(self.features, cube, self.dtype, "conv1", strides)(zero_padding(x, valid))
        y = nn.relu(BatchNorm(self.dtype, name="bn1")(y, train, valid))
        y = conv(self.features, cube, self.dtype, "conv2")(zero_padding(y, valid))
        y = BatchNorm(self.dtype, name="bn2")(y, train, valid)
        x = shortcut(x, self.features, self.stride, self.dtype, train, valid, (1, 1, 1))
        return nn.relu(x + y)


BLOCKS: dict[str, type[nn.Module]] = {"2d": BasicBlock, "p3d": BasicBlockP3D, "3d": BasicBlock3D}


class Stage(nn.Module):
    """Blocks of one kind and width in a row.

    Attributes:
        mode: '2d', 'p3d' or '3d', the kind of the blocks.
        features: channels of each.
        blocks: how many.
        stride: of the first one, over height and width.
        dtype: of the activations.
        remat: whether to compute each block again for its gradient, which saves memory.
    """

    mode: str
    features: int
    blocks: int
    stride: int
    dtype: Any
    remat: bool = False

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H / stride, W / stride, features].

        Args:
            x: the sequences; frames that do not count may hold anything.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            valid: bool [N, T], the frames that count.

        Raises:
            UserError: for an unknown mode.
        """
        if self.mode not in BLOCKS:
            raise UserError(f"blocks of mode {self.mode!r}; expected one of {', '.join(BLOCKS)}")
        block: Any = BLOCKS[self.mode]
        if self.remat:
            block = nn.remat(block, static_argnums=(2,))  # train
        for j in range(self.blocks):
            stride = 1 if j else self.stride
            # The kind is in the name, since OpenGait's names depend on it.
            x = block(self.features, stride, self.dtype, name=f"{self.mode}_{j}")(x, train, valid)
        return x


def stem(
    x: jax.Array,
    features: int,
    blocks: int,
    dtype: Any,
    train: bool,
    valid: jax.Array,
    *,
    prefix: str = "",
    remat: bool = False,
) -> jax.Array:
    """`layer0`, a convolution, and `layer1`, 2-D blocks, of the module that calls it.

    Args:
        x: [N, T, H, W, C].
        features: channels of both.
        blocks: how many `layer1` has.
        dtype: of the activations.
        train: whether BatchNorm uses, and keeps, this batch's statistics.
        valid: bool [N, T], the frames that count.
        prefix: of the two names.
        remat: whether to compute each block again for its gradient, which saves memory.

    Returns:
        [N, T, H, W, features].
    """
    x = ConvBN(features, 3, dtype, name=f"{prefix}layer0")(x, train, valid)
    stage = Stage("2d", features, blocks, 1, dtype, remat, name=f"{prefix}layer1")
    y: jax.Array = stage(x, train, valid)
    return y


def trunk(
    x: jax.Array,
    mode: str,
    channels: Sequence[int],
    blocks: Sequence[int],
    dtype: Any,
    train: bool,
    valid: jax.Array,
    *,
    remat: bool,
) -> jax.Array:
    """`layer2`, `layer3` and `layer4` of the module that calls it, with strides 2, 2 and 1.

    Args:
        x: [N, T, H, W, C].
        mode: '2d', 'p3d' or '3d', the kind of the blocks.
        channels: of each layer.
        blocks: of each layer.
        dtype: of the activations.
        train: whether BatchNorm uses, and keeps, this batch's statistics.
        valid: bool [N, T], the frames that count.
        remat: whether to compute each block again for its gradient, which saves memory.

    Returns:
        [N, T, H / 4, W / 4, channels[2]].
    """
    for i, (features, number, stride) in enumerate(zip(channels, blocks, (2, 2, 1), strict=True)):
        stage = Stage(mode, features, number, stride, dtype, remat, name=f"layer{i + 2}")
        x = stage(x, train, valid)
    return x


OPENGAIT = [
    ("layer0/conv", "layer0.forward_block.0", "conv"),
    ("layer0/bn", "layer0.forward_block.1", "batch_norm"),
    ("layer{i}/2d_{j}/conv{k}", "layer{i}.forward_block.{j}.conv{k}", "conv"),
    ("layer{i}/2d_{j}/bn{k}", "layer{i}.forward_block.{j}.bn{k}", "batch_norm"),
    ("layer{i}/2d_{j}/shortcut_conv", "layer{i}.forward_block.{j}.downsample.0", "conv"),
    ("layer{i}/2d_{j}/shortcut_bn", "layer{i}.forward_block.{j}.downsample.1", "batch_norm"),
    ("layer{i}/p3d_{j}/conv{k}", "layer{i}.{j}.conv{k}.forward_block.0", "conv"),
    ("layer{i}/p3d_{j}/bn{k}", "layer{i}.{j}.conv{k}.forward_block.1", "batch_norm"),
    ("layer{i}/p3d_{j}/conv_time", "layer{i}.{j}.shortcut3d", "conv"),
    ("layer{i}/p3d_{j}/bn_time", "layer{i}.{j}.sbn", "batch_norm"),
    ("layer{i}/p3d_{j}/shortcut_conv", "layer{i}.{j}.downsample.0", "conv"),
    ("layer{i}/p3d_{j}/shortcut_bn", "layer{i}.{j}.downsample.1", "batch_norm"),
    ("layer{i}/3d_{j}/conv{k}", "layer{i}.{j}.conv{k}", "conv"),
    ("layer{i}/3d_{j}/bn{k}", "layer{i}.{j}.bn{k}", "batch_norm"),
    ("layer{i}/3d_{j}/shortcut_conv", "layer{i}.{j}.downsample.0", "conv"),
    ("layer{i}/3d_{j}/shortcut_bn", "layer{i}.{j}.downsample.1", "batch_norm"),
]
