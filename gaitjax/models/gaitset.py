"""GaitSet: gait as a set of silhouettes (Chao et al., AAAI 2019)."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.plain import pair
from gaitjax.models.layers.pooling import horizontal_pyramid, max_pool_2x2, set_max
from gaitjax.models.layers.separate import SeparateFCs

# the shape of one frame, by modality
EXAMPLE = {"silhouette": (64, 44), "parsing": (64, 44)}


class Model(nn.Module):
    """GaitSet.

    Attributes:
        classes: label -> number of classes; GaitSet has no use for them.
        modality: what is read, silhouettes or parsing maps.
        channels: of the three stages.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid, of the frames' features and of the set's alike.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    modality: str = "silhouette"
    channels: tuple[int, int, int] = (32, 64, 128)
    embedding: int = 256
    bins: tuple[int, ...] = (16, 8, 4, 2, 1)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: `modality` -> [N, T, H, W], silhouettes in 0..1; H and W are multiples of 4.
            lengths: [N], frames that count.
            train: has no effect; the network has no BatchNorm and no dropout.
            draws: none are needed.

        Returns:
            embeddings [N, 2 * sum(bins), embedding]: parts of the frames' features, then the set's.
        """
        first, second, third = self.channels
        x = images(inputs, self.modality, self.dtype)
        x = max_pool_2x2(pair(x, first, self.dtype, "frame1", kernel=5))
        x1 = set_max(x, lengths)
        x = max_pool_2x2(pair(x, second, self.dtype, "frame2"))
        x2 = set_max(x, lengths)
        x3 = set_max(pair(x, third, self.dtype, "frame3"), lengths)

        y = max_pool_2x2(pair(x1, second, self.dtype, "set2"))
        y = x3 + pair(y + x2, third, self.dtype, "set3")

        parts = jnp.concatenate([horizontal_pyramid(z, self.bins) for z in (x3, y)], 1)
        parts = SeparateFCs(self.embedding, self.dtype, name="head")(parts)
        embeddings = parts.astype(jnp.promote_types(self.dtype, jnp.float32))
        return Output(embeddings, terms={"triplet": {"embeddings": embeddings}})


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for."""
    return {
        "channels": tuple(model_cfg["in_channels"][1:]),
        "embedding": model_cfg["SeparateFCs"]["out_channels"],
        "bins": tuple(model_cfg["bin_num"]),
    }


OPENGAIT = [
    ("frame{i}_conv1", "set_block{i}.forward_block.0.conv", "conv"),
    ("frame{i}_conv2", "set_block{i}.forward_block.2.conv", "conv"),
    ("set{i}_conv1", "gl_block{i}.0.conv", "conv"),
    ("set{i}_conv2", "gl_block{i}.2.conv", "conv"),
    ("head/kernel", "Head.fc_bin", "as_is"),
]
