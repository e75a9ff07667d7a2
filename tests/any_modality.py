"""A network for whatever a dataset has: the mean of every modality over time, made small."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output


class Model(nn.Module):
    """One dense layer for each modality."""

    classes: Mapping[str, int]
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds modalities [N, T, ...] as [N, 1, 4 for each]."""
        embedded = []
        for _, x in sorted(inputs.items()):
            known = jnp.nan_to_num(x.astype(jnp.float32))  # clouds of points are filled up with NaN
            frames = known.reshape(*x.shape[:2], -1) / 255
            valid = jnp.arange(x.shape[1])[:, None] < lengths[:, None, None]
            mean = jnp.where(valid, frames, 0).sum(axis=1) / lengths[:, None]
            embedded.append(nn.Dense(4)(mean))
        embeddings = jnp.concatenate(embedded, axis=-1)[:, None]
        return Output(embeddings, terms={"triplet": {"embeddings": embeddings}})
