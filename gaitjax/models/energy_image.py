"""Gait energy image: the mean silhouette (Han & Bhanu, TPAMI 2006). It has nothing to train.

As a network it is the classical baseline that runs through the same evaluation as the others.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output


class Model(nn.Module):
    """The gait energy image of "Individual Recognition Using Gait Energy Image".

    Attributes:
        classes: label -> number of classes; nothing is classified.
        dtype: has no effect; the mean is a statistic, float32 or above.
    """

    classes: Mapping[str, int]
    dtype: Any = jnp.float32

    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Averages the frames of each sequence.

        Args:
            inputs: 'silhouette' [N, T, H, W].
            lengths: int32 [N], the frames that count.
            train: has no effect.
            draws: none are needed.

        Returns:
            embeddings [N, 1, H * W].
        """
        silhouettes = inputs["silhouette"]
        silhouettes = silhouettes.astype(jnp.promote_types(silhouettes.dtype, jnp.float32))
        valid = jnp.arange(silhouettes.shape[1]) < lengths[:, None]
        total = jnp.where(valid[:, :, None, None], silhouettes, 0).sum(1)
        mean = total / lengths[:, None, None]
        return Output(embeddings=mean.reshape(len(mean), 1, -1))
