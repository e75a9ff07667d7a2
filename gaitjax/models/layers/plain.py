"""The plain backbone: convolutions, LeakyReLUs and max pools in a row."""

from typing import Any

import flax.linen as nn
import jax

from gaitjax.errors import UserError
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.pooling import max_pool_2x2


class Plain(nn.Module):
    """Convolutions without bias, each followed by a LeakyReLU.

    The first convolution is 5 x 5, the others 3 x 3.

    Attributes:
        layers: 'BC-64' is a convolution to 64 channels, 'M' a max pool of 2 x 2.
        dtype: of the activations.
    """

    layers: tuple[str, ...]
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps frames [N, T, H, W, C]; `train` and `valid` are not needed without BatchNorm.

        Raises:
            UserError: for a layer that is neither.
        """
        position = 0  # as OpenGait numbers them: convolutions, activations and pools
        for layer in self.layers:
            if layer == "M":
                x = max_pool_2x2(x)
                position += 1
                continue
            kind, _, channels = layer.partition("-")
            if kind != "BC" or not channels.isdigit():
                raise UserError(f"layer {layer!r} of the plain backbone; expected BC-<n> or M")
            kernel = 5 if position == 0 else 3
            x = nn.leaky_relu(conv(int(channels), kernel, self.dtype, f"feature{position}")(x))
            position += 2
        return x


OPENGAIT = [("feature{i}", "feature.{i}.conv", "conv")]
