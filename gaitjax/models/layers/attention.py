"""What attention over pixels and channels weighs its maps by."""

from typing import Any

import flax.linen as nn
import jax

from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.residual import ConvBN


class PixelScores(nn.Module):
    """A number for every pixel and channel, by way of fewer channels.

    Convolutions of 1 x 1, `kernel` x `kernel` and 1 x 1, the first two with BatchNorm and ReLU.

    Attributes:
        features: channels of the result.
        hidden: channels between the convolutions.
        kernel: height and width of the second one.
        dtype: of the activations.
    """

    features: int
    hidden: int
    kernel: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H, W, features]; valid [N, T] counts in the statistics."""
        x = ConvBN(self.hidden, 1, self.dtype, name="squeeze")(x, train, valid)
        x = ConvBN(self.hidden, self.kernel, self.dtype, name="mix")(x, train, valid)
        return conv(self.features, 1, self.dtype, "expand")(x)


OPENGAIT = [
    ("squeeze/conv", "forward_block.0", "conv"),
    ("squeeze/bn", "forward_block.1", "batch_norm"),
    ("mix/conv", "forward_block.3", "conv"),
    ("mix/bn", "forward_block.4", "batch_norm"),
    ("expand", "forward_block.6", "conv"),
]
