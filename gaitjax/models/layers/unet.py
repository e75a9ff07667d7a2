"""U-Net for silhouettes (Ronneberger et al., MICCAI 2015)."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.pooling import max_pool_2x2


class Double(nn.Module):
    """Twice a 3 x 3 convolution, BatchNorm and ReLU."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H, W, features]."""
        for i in (1, 2):
            x = conv(self.features, 3, self.dtype, f"conv{i}", bias=True)(x)
            x = nn.relu(BatchNorm(self.dtype, name=f"bn{i}")(x, train, valid))
        return x


class Up(nn.Module):
    """Twice the size by nearest neighbours, then a 3 x 3 convolution, BatchNorm and ReLU."""

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, 2 * H, 2 * W, features]."""
        x = jnp.repeat(jnp.repeat(x, 2, axis=2), 2, axis=3)
        x = conv(self.features, 3, self.dtype, "conv", bias=True)(x)
        return nn.relu(BatchNorm(self.dtype, name="bn")(x, train, valid))


class UNet(nn.Module):
    """Encoder and decoder with skip connections, to one channel.

    Attributes:
        channels: of the encoder's levels, from the full size down.
        dtype: of the activations.
    """

    channels: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Segments frames.

        Args:
            x: [N, T, H, W, C].
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            valid: bool [N, T], which frames count in the statistics.

        Returns:
            [N, T, H, W], logits.

        Raises:
            UserError: if H or W cannot be halved often enough.
        """
        step = 2 ** (len(self.channels) - 1)
        if x.shape[2] % step or x.shape[3] % step:
            raise UserError(
                f"the U-Net got frames of {x.shape[2]} x {x.shape[3]}; expected multiples of {step}"
            )
        skips: list[jax.Array] = []
        for level, features in enumerate(self.channels, 1):
            x = max_pool_2x2(x) if skips else x
            x = Double(features, self.dtype, name=f"encoder{level}")(x, train, valid)
            skips.append(x)
        for level in range(len(self.channels), 1, -1):
            features = self.channels[level - 2]
            x = Up(features, self.dtype, name=f"up{level}")(x, train, valid)
            x = jnp.concatenate([skips[level - 2], x], -1)
            x = Double(features, self.dtype, name=f"decoder{level}")(x, train, valid)
        return conv(1, 1, self.dtype, "last", bias=True)(x)[..., 0]


OPENGAIT = [
    ("encoder{i}/conv1", "Conv{i}.conv.0", "conv"),
    ("encoder{i}/bn1", "Conv{i}.conv.1", "batch_norm"),
    ("encoder{i}/conv2", "Conv{i}.conv.3", "conv"),
    ("encoder{i}/bn2", "Conv{i}.conv.4", "batch_norm"),
    ("up{i}/conv", "Up{i}.up.1", "conv"),
    ("up{i}/bn", "Up{i}.up.2", "batch_norm"),
    ("decoder{i}/conv1", "Up_conv{i}.conv.0", "conv"),
    ("decoder{i}/bn1", "Up_conv{i}.conv.1", "batch_norm"),
    ("decoder{i}/conv2", "Up_conv{i}.conv.3", "conv"),
    ("decoder{i}/bn2", "Up_conv{i}.conv.4", "batch_norm"),
    ("last", "Conv_1x1", "conv"),
]
