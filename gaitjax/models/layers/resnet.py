"""ResNet of basic blocks, without a first pool: ResNet9 and its kin (He et al., CVPR 2016)."""

from typing import Any

import flax.linen as nn
import jax

from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv


def shortcut(
    x: jax.Array,
    features: int,
    stride: int,
    dtype: Any,
    train: bool,
    valid: jax.Array,
    kernel: int | tuple[int, ...] = 1,
) -> jax.Array:
    """The way around the convolutions of a block, within whose `__call__` it is called.

    Args:
        x: what the block reads, [N, T, H, W, C].
        features: channels of the block.
        stride: of the block, over height and width.
        dtype: of the activations.
        train: whether BatchNorm uses, and keeps, this batch's statistics.
        valid: bool [N, T], the frames that count.
        kernel: 1, or (1, 1, 1) where the block's convolutions are over time too.

    Returns:
        x, if the block keeps its shape; else a convolution of 1 x 1 and BatchNorm.
    """
    if stride == 1 and x.shape[-1] == features:
        return x
    # Striding here: XLA is slow at the gradients of strided convolutions on the CPU.
    x = conv(features, kernel, dtype, "shortcut_conv")(x[:, :, ::stride, ::stride])
    return BatchNorm(dtype, name="shortcut_bn")(x, train, valid)


class BasicBlock(nn.Module):
    """Two 3 x 3 convolutions with BatchNorm, and a shortcut around them."""

    features: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H / stride, W / stride, features]."""
        y = conv(self.features, 3, self.dtype, "conv1", self.stride)(x)
        y = nn.relu(BatchNorm(self.dtype, name="bn1")(y, train, valid))
        y = conv(self.features, 3, self.dtype, "conv2")(y)
        y = BatchNorm(self.dtype, name="bn2")(y, train, valid)
        return nn.relu(shortcut(x, self.features, self.stride, self.dtype, train, valid) + y)


class ResNet(nn.Module):
    """A 3 x 3 convolution and stages of basic blocks, four in most networks.

    Attributes:
        channels: of the stages; the first convolution has those of the first stage.
        blocks: of each stage.
        strides: of the first block of each stage.
        dtype: of the activations.
        first: number of the first stage; from the second on there is no convolution before it.
    """

    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any
    first: int = 1

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps frames [N, T, H, W, C]; valid [N, T] says which count in the statistics."""
        if self.first == 1:
            x = conv(self.channels[0], 3, self.dtype, "conv1")(x)
            x = nn.relu(BatchNorm(self.dtype, name="bn1")(x, train, valid))
        stages = zip(self.channels, self.blocks, self.strides, strict=True)
        for i, (channels, blocks, stride) in enumerate(stages, self.first):
            for j in range(blocks):
                block = BasicBlock(channels, 1 if j else stride, self.dtype, name=f"layer{i}_{j}")
                x = block(x, train, valid)
        return x


OPENGAIT = [
    ("conv1", "conv1.conv", "conv"),
    ("bn1", "bn1", "batch_norm"),
    ("layer{i}_{j}/conv{k}", "layer{i}.{j}.conv{k}", "conv"),
    ("layer{i}_{j}/bn{k}", "layer{i}.{j}.bn{k}", "batch_norm"),
    ("layer{i}_{j}/shortcut_conv", "layer{i}.{j}.downsample.0", "conv"),
    ("layer{i}_{j}/shortcut_bn", "layer{i}.{j}.downsample.1", "batch_norm"),
]
