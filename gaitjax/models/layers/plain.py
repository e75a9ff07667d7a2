"""The plain backbone: convolutions, LeakyReLUs and max pools in a row.

Focal convolutions see horizontal strips (Fan et al., GaitPart, CVPR 2020).
"""

from typing import Any

import flax.linen as nn
import jax

from gaitjax.errors import UserError
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.pooling import max_pool_2x2
from gaitjax.models.layers.strips import in_strips


class Plain(nn.Module):
    """Convolutions without bias, each followed by a LeakyReLU.

    The first convolution is 5 x 5, the others 3 x 3.

    Attributes:
        layers: 'BC-64' is a convolution to 64 channels, 'FC-64-2' a focal one, which convolves
            each of 2^2 horizontal strips by itself, 'M' a max pool of 2 x 2.
        dtype: of the activations.
    """

    layers: tuple[str, ...]
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps frames [N, T, H, W, C]; `train` and `valid` are not needed without BatchNorm.

        Raises:
            UserError: for a layer that is none of these, or strips without rows.
        """
        position = 0  # as OpenGait numbers them: convolutions, activations and pools
        for layer in self.layers:
            if layer == "M":
                x = max_pool_2x2(x)
                position += 1
                continue
            channels, halvings = _parse(layer)
            kernel = 5 if position == 0 else 3
            convolve = conv(channels, kernel, self.dtype, f"feature{position}")
            x = nn.leaky_relu(in_strips(x, 2, x.shape[2] >> halvings, convolve))
            position += 2
        return x


def pair(x: jax.Array, features: int, dtype: Any, name: str, kernel: int = 3) -> jax.Array:
    """Convolutions `NAME_conv1` and `NAME_conv2`, each with its LeakyReLU.

    Args:
        x: [..., H, W, C].
        features: channels of both.
        dtype: of the activations.
        name: what the parameters' names begin with.
        kernel: of the first one; the second is 3 x 3.

    Returns:
        [..., H, W, features].
    """
    x = nn.leaky_relu(conv(features, kernel, dtype, f"{name}_conv1")(x))
    return nn.leaky_relu(conv(features, 3, dtype, f"{name}_conv2")(x))


def _parse(layer: str) -> tuple[int, int]:
    """Channels of a convolution, and how often the map is halved to make its strips."""
    match layer.split("-"):
        case ["BC", channels] if channels.isdigit():
            return int(channels), 0
        case ["FC", channels, halvings] if channels.isdigit() and halvings.isdigit():
            return int(channels), int(halvings)
    raise UserError(
        f"layer {layer!r} of the plain backbone; expected BC-<channels>, "
        "FC-<channels>-<halvings> or M"
    )


OPENGAIT = [("feature{i}", "feature.{i}.conv", "conv")]
