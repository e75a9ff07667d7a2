"""Few channels for every pixel of a large vision model's maps (Ye et al., BigGait, CVPR 2024)."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.vision import resize


class Distillation(nn.Module):
    """Maps the channels of every pixel to a few.

    Attributes:
        features: how many.
        hidden: channels of a layer that lies between; 0: there is none.
        softmax: whether they are shares that sum to 1; otherwise each is by itself in 0..1.
        restored: whether a linear layer maps them back.
        dropout: share of the channels that are left out in training.
        dtype: of the activations.
        width: that the maps are resized to before the last BatchNorm, see `vision.resize`; 0: they
            keep their size.
    """

    features: int
    hidden: int
    softmax: bool
    restored: bool
    dropout: float
    dtype: Any
    width: int = 0

    @nn.compact
    def __call__(
        self, x: jax.Array, train: bool, valid: jax.Array
    ) -> tuple[jax.Array, jax.Array | None]:
        """Maps [..., C] to [..., features], and back if `restored`.

        Args:
            x: the channels of pixels.
            train: whether BatchNorm uses, and keeps, this batch's statistics, and dropout acts.
            valid: bool, over the leading axes of x: what counts in the statistics.
        """
        channels = x.shape[-1]
        y = nn.Dropout(self.dropout, deterministic=not train)(x)
        y = BatchNorm(self.dtype, affine=False, name="bn_in")(y, train, valid)
        if self.hidden:
            y = self._linear(self.hidden, "hidden")(y)
            y = BatchNorm(self.dtype, affine=False, name="bn_hidden")(y, train, valid)
            y = nn.gelu(y, approximate=False)
        y = self._linear(self.features, "few")(y)
        if self.width:
            y = resize(y, self.width)
        norm = BatchNorm(self.dtype, affine=False, name="bn_out")
        if self.softmax:
            norm(y, False)  # its statistics are in OpenGait's checkpoints, without a use
            y = nn.softmax(y)
        else:
            y = nn.sigmoid(norm(y, train, valid))
        return y, self._linear(channels, "back")(y) if self.restored else None

    def _linear(self, features: int, name: str) -> nn.Dense:
        return nn.Dense(
            features,
            kernel_init=nn.initializers.xavier_uniform(),
            dtype=self.dtype,
            param_dtype=jnp.promote_types(self.dtype, jnp.float32),
            name=name,
        )


_NORMS = [
    ("bn_in", "bn_s", "batch_norm"),
    ("bn_out", "bn_t", "batch_norm"),
]
OPENGAIT = [
    *_NORMS,
    ("few", "down_sampling", "linear"),
    ("back", "up_sampling", "linear"),
]
OPENGAIT_DEEP = [
    *_NORMS,
    ("hidden", "down_sampling.0", "linear"),
    ("bn_hidden", "down_sampling.1", "batch_norm"),
    ("few", "down_sampling.3", "linear"),
]
OPENGAIT_SEQUENTIAL = [
    ("bn_in", "0", "batch_norm"),
    ("hidden", "1", "pointwise"),
    ("bn_hidden", "2", "batch_norm"),
    ("few", "4", "pointwise"),
    ("bn_out", "6", "batch_norm"),
]
