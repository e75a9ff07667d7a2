"""ResNet of basic blocks, without a first pool: ResNet9 and its kin (He et al., CVPR 2016)."""

from typing import Any

import flax.linen as nn
import jax

from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv


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
        if self.stride != 1 or x.shape[-1] != self.features:
            x = conv(self.features, 1, self.dtype, "shortcut_conv", self.stride)(x)
            x = BatchNorm(self.dtype, name="shortcut_bn")(x, train, valid)
        return nn.relu(x + y)


class ResNet(nn.Module):
    """A 3 x 3 convolution and four stages of basic blocks.

    Attributes:
        channels: of the four stages; the first convolution has those of the first stage.
        blocks: of each stage.
        strides: of the first block of each stage.
        dtype: of the activations.
    """

    channels: tuple[int, ...]
    blocks: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps frames [N, T, H, W, C]; valid [N, T] says which count in the statistics."""
        x = conv(self.channels[0], 3, self.dtype, "conv1")(x)
        x = nn.relu(BatchNorm(self.dtype, name="bn1")(x, train, valid))
        stages = zip(self.channels, self.blocks, self.strides, strict=True)
        for i, (channels, blocks, stride) in enumerate(stages, 1):
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
