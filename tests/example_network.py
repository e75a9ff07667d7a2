"""Convolutions on every frame, the maximum over time, and horizontal strips."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max


class Model(nn.Module):
    """A small network for silhouettes."""

    classes: Mapping[str, int]
    channels: tuple[int, ...] = (16, 32)
    strips: int = 8
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds 'silhouette' [N, T, H, W] as [N, strips, channels[-1]]."""
        x = inputs["silhouette"].astype(self.dtype)[..., None]
        for features in self.channels:
            x = nn.relu(nn.Conv(features, (3, 3), strides=2, dtype=self.dtype)(x))
        parts = horizontal_pyramid(set_max(x, lengths), (self.strips,))
        embeddings = parts.astype(jnp.promote_types(self.dtype, jnp.float32))
        return Output(embeddings, terms={"triplet": {"embeddings": embeddings}})
