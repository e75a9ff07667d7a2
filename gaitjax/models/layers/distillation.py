"""Few channels for every pixel of a large vision model's maps (Ye et al., BigGait, CVPR 2024)."""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models.layers.batch_norm import BatchNorm


class Distillation(nn.Module):
    """Maps the channels of every pixel to a few.

    Attributes:
        features: how many.
        deep: whether a layer of half of the channels lies between.
        softmax: whether they are shares that sum to 1; otherwise each is by itself in 0..1.
        restored: whether a linear layer maps them back.
        dropout: share of the channels that are left out in training.
        dtype: of the activations.
    """

    features: int
    deep: bool
    softmax: bool
    restored: bool
    dropout: float
    dtype: Any

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
        if self.deep:
            y = self._linear(channels // 2, "hidden")(y)
            y = BatchNorm(self.dtype, affine=False, name="bn_hidden")(y, train, valid)
            y = nn.gelu(y, approximate=False)
        y = self._linear(self.features, "few")(y)
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
