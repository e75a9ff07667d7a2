"""A network with a bit of everything: a convolution, BatchNorm, dropout and a head."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

from gaitjax.models import Output
from gaitjax.models.layers.padding import valid_frames


class Model(nn.Module):
    """Convolves, drops, and averages silhouettes."""

    classes: Mapping[str, int]
    channels: int = 4
    dropout: float = 0.5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds 'silhouette' [N, T, H, W] as [N, 1, channels]."""
        wide = jnp.promote_types(self.dtype, jnp.float32)
        kinds = {"dtype": self.dtype, "param_dtype": wide}
        x = inputs["silhouette"].astype(self.dtype)[..., None]
        valid = valid_frames(lengths, x.shape[1])[..., None, None, None]
        x = nn.Conv(self.channels, (3, 3), strides=4, name="stem", **kinds)(x)
        norm = nn.BatchNorm(use_running_average=not train, name="norm", **kinds)
        x = nn.relu(norm(x, mask=valid))
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        embeddings = nn.Dense(self.channels, name="embed", **kinds)(
            jnp.mean(x, axis=(1, 2, 3), where=valid)[:, None]
        )
        logits = nn.Dense(self.classes["identity"], name="head", **kinds)(embeddings)
        return Output(embeddings.astype(wide), terms={"softmax": {"logits": logits.astype(wide)}})


def use(config: ConfigDict) -> ConfigDict:
    """Makes a config train this network, most of its stem frozen, the head at a rate of its own."""
    config.network = "tests.training.dropping"
    config.model = ConfigDict({"channels": 4, "dropout": 0.5})
    config.losses = ConfigDict({"softmax": {"type": "cross_entropy"}})
    config.optimizer.groups = (("head/*", {"learning_rate": 0.01, "weight_decay": 0.0}),)
    config.freeze = ("stem/*", "norm/scale")
    return config
