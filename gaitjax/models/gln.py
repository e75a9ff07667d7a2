"""GLN: silhouette and set features of three stages, joined top-down (Hou et al., ECCV 2020).

The lateral network is trained first; then the compact block, which classifies it, is trained with
it. The block only trains: what is recognised by are the lateral network's parts.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.plain import pair
from gaitjax.models.layers.pooling import horizontal_pyramid, max_pool_2x2, set_max
from gaitjax.models.layers.separate import SeparateFCs

# the shape of one frame, by modality
EXAMPLE = {"silhouette": (128, 88), "parsing": (128, 88)}


class CompactBlock(nn.Module):
    """From all parts to one short feature, which is classified.

    Attributes:
        features: channels of the short feature.
        classes: how many are told apart.
        dropout: rate.
        dtype: of all of it.
    """

    features: int
    classes: int
    dropout: float
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Maps embeddings [N, P, C] to logits [N, 1, classes]."""
        x = BatchNorm(self.dtype, axes=2, name="encoder_bn")(x, train)
        x = nn.relu(nn.Dropout(self.dropout, deterministic=not train)(x))
        # OpenGait's weights go over the parts of each channel.
        x = x.swapaxes(1, 2).reshape(len(x), -1)
        x = self._linear(self.features, "reduce_fc")(x)
        x = BatchNorm(self.dtype, name="reduce_bn")(x, train)
        # OpenGait exchanges classes and parts here, so that its loss fails.
        return self._linear(self.classes, "classifier")(x)[:, None]

    def _linear(self, features: int, name: str) -> nn.Dense:
        # A head that was left out has no features, which Glorot's values are not defined for.
        values = nn.initializers.xavier_uniform() if features else nn.initializers.zeros
        return nn.Dense(
            features,
            use_bias=False,
            kernel_init=values,
            dtype=self.dtype,
            param_dtype=self.dtype,
            name=name,
        )


class Model(nn.Module):
    """GLN.

    Attributes:
        classes: label -> number of classes; 'identity' is needed with the compact block.
        modality: what is read, silhouettes or parsing maps.
        channels: of the three stages.
        lateral: channels of the top-down pathway.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid, of every level of the top-down pathway.
        compact: whether there is a compact block: the second phase.
        reduced: channels of the compact block's feature.
        dropout: rate in the compact block.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    modality: str = "silhouette"
    channels: tuple[int, int, int] = (32, 64, 128)
    lateral: int = 256
    embedding: int = 256
    bins: tuple[int, ...] = (16, 8, 4, 2, 1)
    compact: bool = False
    reduced: int = 256
    dropout: float = 0.9
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: `modality` -> [N, T, H, W], silhouettes in 0..1; H and W are multiples of 4.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics, and dropout acts; the
                lateral network has neither.
            draws: none are needed.

        Returns:
            embeddings [N, 3 * sum(bins), embedding], from the finest level to the coarsest.
        """
        levels = self._top_down(self._stages(images(inputs, self.modality, self.dtype), lengths))
        parts = jnp.concatenate([horizontal_pyramid(x, self.bins) for x in levels], 1)
        parts = SeparateFCs(self.embedding, self.dtype, name="head")(parts)
        wide = jnp.promote_types(self.dtype, jnp.float32)
        embeddings = parts.astype(wide)
        terms = {"triplet": {"embeddings": embeddings}}
        if self.compact:
            block = CompactBlock(
                self.reduced, self.classes["identity"], self.dropout, wide, name="compact"
            )
            terms["softmax"] = {"logits": block(embeddings, train)}
        return Output(embeddings, terms=terms)

    def _stages(self, x: jax.Array, lengths: jax.Array) -> list[jax.Array]:
        """Features of the silhouettes beside those of the set, [N, H, W, C] of three stages."""
        first, second, third = self.channels
        x = pair(x, first, self.dtype, "frame0", kernel=5)
        x0 = set_max(x, lengths)
        x = pair(max_pool_2x2(x), second, self.dtype, "frame1")
        x1 = set_max(x, lengths)
        x2 = set_max(pair(max_pool_2x2(x), third, self.dtype, "frame2"), lengths)

        y1 = x1 + pair(max_pool_2x2(x0), second, self.dtype, "set1")
        y2 = x2 + pair(max_pool_2x2(y1), third, self.dtype, "set2")
        # The first stage has no set of its own; OpenGait takes the same features twice.
        return [jnp.concatenate(both, -1) for both in ((x0, x0), (x1, y1), (x2, y2))]

    def _top_down(self, stages: list[jax.Array]) -> list[jax.Array]:
        """A feature pyramid (Lin et al., CVPR 2017): [N, H, W, lateral] of three levels."""
        x1, x2, x3 = (
            conv(self.lateral, 1, self.dtype, f"lateral{i}")(x) for i, x in enumerate(stages, 1)
        )
        x2 = x2 + upsample(x3)
        x1 = x1 + upsample(x2)
        return [
            conv(self.lateral, 3, self.dtype, f"smooth{i}")(x)
            for i, x in enumerate((x1, x2, x3), 1)
        ]


def upsample(x: jax.Array) -> jax.Array:
    """Twice the size by nearest neighbours: [N, H, W, C] -> [N, 2 * H, 2 * W, C]."""
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for."""
    return {
        "channels": tuple(model_cfg["in_channels"][1:]),
        "lateral": model_cfg["lateral_dim"],
        "embedding": model_cfg["SeparateFCs"]["out_channels"],
        "bins": tuple(model_cfg["bin_num"]),
        "compact": not model_cfg["Lateral_pretraining"],
        "reduced": model_cfg["hidden_dim"],
        "dropout": model_cfg["dropout"],
    }


def frozen(model_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Patterns over the parameters that OpenGait never trains."""
    return () if model_cfg["Lateral_pretraining"] else ("compact/*_bn/bias",)


OPENGAIT = [
    ("frame{i}_conv1", "sil_stage_{i}.forward_block.0.conv", "conv"),
    ("frame{i}_conv2", "sil_stage_{i}.forward_block.2.conv", "conv"),
    ("set{i}_conv1", "set_stage_{i}.0.conv", "conv"),
    ("set{i}_conv2", "set_stage_{i}.2.conv", "conv"),
    ("lateral{i}", "lateral_layer{i}", "conv"),
    ("smooth{i}", "smooth_layer{i}", "conv"),
    ("head/kernel", "Head.fc_bin", "as_is"),
    ("compact/encoder_bn", "encoder_bn", "parts_bn"),
    ("compact/reduce_fc", "reduce_fc", "linear"),
    ("compact/reduce_bn", "reduce_bn", "batch_norm"),
    ("compact/classifier", "reduce_cls", "linear"),
]
