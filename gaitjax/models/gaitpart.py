"""GaitPart: body parts by focal convolution, and their motion in a few frames.

Fan et al., CVPR 2020.
"""

from collections.abc import Mapping
from typing import Any

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import backbone
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames, zero_padding
from gaitjax.models.layers.pooling import horizontal_pyramid, largest
from gaitjax.models.layers.separate import SeparateFCs

# the shape of one frame, by modality
EXAMPLE = {"silhouette": (64, 44), "parsing": (64, 44)}
FOCAL: Mapping[str, Any] = flax.core.FrozenDict(
    {
        "type": "plain",
        "layers": ("BC-32", "BC-32", "M", "FC-64-2", "FC-64-2", "M", "FC-128-3", "FC-128-3"),
    }
)


def windows(x: jax.Array, size: int, outside: float) -> jax.Array:
    """The frames around each frame.

    Args:
        x: [N, T, ...].
        size: how many, an odd number.
        outside: what frames before the first and behind the last one are.

    Returns:
        [size, N, T, ...], from the earliest to the latest.
    """
    half, frames = size // 2, x.shape[1]
    around = [(0, 0), (half, half)] + [(0, 0)] * (x.ndim - 2)
    x = jnp.pad(x, around, constant_values=outside)
    return jnp.stack([x[:, i : i + frames] for i in range(size)])


def template(x: jax.Array, valid: jax.Array, size: int) -> jax.Array:
    """Mean plus maximum of the frames around each frame, section 3.3 of the paper.

    Beyond either end of a sequence are frames of zeros, which the mean counts and the maximum does
    not.

    Args:
        x: [N, T, P, C].
        valid: bool [N, T].
        size: how many frames, an odd number.

    Returns:
        An array like x; 0 in frames that do not count.
    """
    counts = valid[:, :, None, None]
    mean = windows(jnp.where(counts, x, 0), size, 0).mean(0)
    maximum = largest(windows(jnp.where(counts, x, -jnp.inf), size, -jnp.inf), 0)
    # Where no frame counts the maximum is -inf, whose product with a score has no gradient.
    return jnp.where(counts, mean + maximum, 0)


class TemporalConv(nn.Module):
    """A convolution over time, without bias, whose weights each part has for itself."""

    features: int
    size: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, valid: jax.Array) -> jax.Array:
        """Maps [N, T, P, C] to [N, T, P, features]; valid is bool [N, T]."""
        kernel = self.param(
            "kernel",
            nn.initializers.xavier_uniform(batch_axis=0),
            (x.shape[2], self.size, x.shape[3], self.features),
            jnp.promote_types(self.dtype, jnp.float32),
        )
        around = windows(zero_padding(x, valid), self.size, 0)
        return jnp.einsum("kntpc,pkcd->ntpd", around, kernel.astype(self.dtype))


class TemporalFeatureAggregator(nn.Module):
    """Micro-motion of each part: templates of 3 and of 5 frames, and where they matter most."""

    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, lengths: jax.Array) -> jax.Array:
        """Maps the parts of frames [N, T, P, C] to those of sequences [N, P, C]; lengths is [N]."""
        valid = valid_frames(lengths, x.shape[1])
        motion = self._micro_motion(x, valid, 3, 1) + self._micro_motion(x, valid, 5, 3)
        return largest(jnp.where(valid[:, :, None, None], motion, -jnp.inf), 1)

    def _micro_motion(self, x: jax.Array, valid: jax.Array, size: int, second: int) -> jax.Array:
        """Templates of so many frames, each weighted by its score."""
        channels = x.shape[-1]
        y = TemporalConv(channels // 4, 3, self.dtype, name=f"motion{size}_conv1")(x, valid)
        y = nn.leaky_relu(y)
        y = TemporalConv(channels, second, self.dtype, name=f"motion{size}_conv2")(y, valid)
        return template(x, valid, size) * nn.sigmoid(y)


class Model(nn.Module):
    """GaitPart.

    Attributes:
        classes: label -> number of classes; GaitPart has no use for them.
        modality: what is read, silhouettes or parsing maps.
        backbone: 'type' (resnet or plain), and the fields of that backbone.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    modality: str = "silhouette"
    backbone: Mapping[str, Any] = FOCAL
    embedding: int = 128
    bins: tuple[int, ...] = (16,)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: `modality` -> [N, T, H, W].
            lengths: [N], frames that count.
            train: has no effect without BatchNorm, which a resnet would have.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), embedding].
        """
        x = images(inputs, self.modality, self.dtype)
        x = backbone.build(self.backbone, self.dtype)(x, train, valid_frames(lengths, x.shape[1]))
        parts = horizontal_pyramid(x.reshape(-1, *x.shape[2:]), self.bins)
        parts = parts.reshape(*x.shape[:2], *parts.shape[1:])
        parts = TemporalFeatureAggregator(self.dtype, name="aggregator")(parts, lengths)
        parts = SeparateFCs(self.embedding, self.dtype, name="head")(parts)
        embeddings = parts.astype(jnp.promote_types(self.dtype, jnp.float32))
        return Output(embeddings, terms={"triplet": {"embeddings": embeddings}})


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone other than here.
    """
    return {
        "backbone": backbone.from_opengait(model_cfg["backbone_cfg"]),
        "embedding": model_cfg["SeparateFCs"]["out_channels"],
        "bins": tuple(model_cfg["bin_num"]),
    }


OPENGAIT = [
    *backbone.OPENGAIT,
    ("aggregator/motion3_conv1", "TFA.pooling_func.conv1d3x1.{*}.0.conv", "conv"),
    ("aggregator/motion3_conv2", "TFA.pooling_func.conv1d3x1.{*}.2.conv", "conv"),
    ("aggregator/motion5_conv1", "TFA.pooling_func.conv1d3x3.{*}.0.conv", "conv"),
    ("aggregator/motion5_conv2", "TFA.pooling_func.conv1d3x3.{*}.2.conv", "conv"),
    ("head/kernel", "Head.fc_bin", "as_is"),
]
