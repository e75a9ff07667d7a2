"""GaitTR: convolutions over time, and attention between the joints of a frame.

Zhang et al., "Spatial transformer network on skeleton-based gait recognition", Expert Systems 2023.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax import skeletons
from gaitjax.models import Output
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.frames import pick
from gaitjax.models.layers.padding import mean_of_valid, valid_frames, zero_padding

MIXES_FRAMES = True
CHANNELS = 10  # of the transform `pose_channels`


class Model(nn.Module):
    """GaitTR.

    Attributes:
        classes: label -> number of classes; it has no use for them.
        skeleton: of the poses, a key of `gaitjax.skeletons.SKELETONS`.
        channels: of each block.
        heads: of the attention; a quarter of all channels is a multiple of them.
        embedding: channels of the embedding.
        dropout: rate, before each convolution over time.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    skeleton: str = "coco"
    channels: tuple[int, ...] = (64, 64, 128, 256)
    heads: int = 8
    embedding: int = 128
    dropout: float = 0.1
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'pose' [N, T, V, 10], as the transform `pose_channels` makes it.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics, and dropout acts.
            draws: none but dropout's are needed.

        Returns:
            embeddings [N, 1, embedding].
        """
        x = pick(inputs, "pose", self.dtype)
        valid = valid_frames(lengths, x.shape[1])
        flat = x.reshape(*x.shape[:2], -1)  # every channel of every joint has its own statistics
        x = BatchNorm(self.dtype, name="bn")(flat, train, valid).reshape(x.shape)
        for i, features in enumerate(self.channels):
            block = Block(features, self.heads, self.dropout, self.dtype, name=f"block{i}")
            x = block(x, train, valid)
        wide = jnp.promote_types(self.dtype, jnp.float32)
        mean = mean_of_valid(x.astype(wide), valid).mean(1)
        embeddings = conv(self.embedding, (1,), wide, "fc", bias=True)(mean[:, None])
        return Output(embeddings, terms={"triplet": {"embeddings": embeddings}})


class Block(nn.Module):
    """Over time, then between joints, each beside what went in.

    Attributes:
        features: channels of the result.
        heads: of the attention.
        dropout: rate, before the convolution over time.
        dtype: of the activations.
    """

    features: int
    heads: int
    dropout: float
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, V, C] to [N, T, V, features]; valid [N, T] are the frames that count."""
        over_time = Convolution(x.shape[-1], 9, self.dropout, self.dtype, name="temporal")
        y = over_time(x, train, valid) + x
        z = Attention(self.features, self.heads, self.dtype, name="spatial")(y, train, valid)
        if x.shape[-1] != self.features:
            y = conv(self.features, 1, self.dtype, "residual", bias=True)(y)
            y = BatchNorm(self.dtype, name="residual_bn")(y, train, valid)
            x = Convolution(self.features, 1, 0.0, self.dtype, name="shortcut")(x, train, valid)
        return z + y + x


class Convolution(nn.Module):
    """A convolution over time, Mish (Misra, BMVC 2020), and BatchNorm after it.

    Attributes:
        features: channels of the result.
        frames: that each sees.
        dropout: rate, before all.
        dtype: of the activations.
    """

    features: int
    frames: int
    dropout: float
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, V, C] to [N, T, V, features]; valid [N, T] are the frames that count."""
        x = nn.Dropout(self.dropout, deterministic=not train)(x)
        over_time = conv(self.features, (self.frames, 1), self.dtype, "conv", bias=True)
        x = jax.nn.mish(over_time(zero_padding(x, valid)))
        return BatchNorm(self.dtype, name="bn")(x, train, valid)


class Attention(nn.Module):
    """Every joint of a frame attends to all of them.

    Vaswani et al., NeurIPS 2017, between the joints as Plizzari et al., "Skeleton-based action
    recognition via spatial and temporal transformer networks", CVIU 2021, have it.

    Attributes:
        features: channels of the result; queries and keys have a quarter of them.
        heads: of the attention.
        dtype: of the activations.
    """

    features: int
    heads: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, V, C] to [N, T, V, features]; valid [N, T] are the frames that count."""
        x = BatchNorm(self.dtype, axes=2, name="input_bn")(x, train, valid)
        keys = self.features // 4
        x = conv(2 * keys + self.features, 1, self.dtype, "qkv", bias=True)(x)
        parts = jnp.split(x, (keys, 2 * keys), -1)
        query, key, value = (p.reshape(*p.shape[:3], self.heads, -1) for p in parts)
        scores = jnp.einsum("ntihc,ntjhc->nthij", query * query.shape[-1] ** -0.5, key)
        mixed = jnp.einsum("nthij,ntjhc->ntihc", nn.softmax(scores), value)
        x = conv(self.features, 1, self.dtype, "out", bias=True)(mixed.reshape(*x.shape[:3], -1))
        return BatchNorm(self.dtype, name="bn")(jax.nn.mish(x), train, valid)


def EXAMPLE(model: nn.Module) -> dict[str, tuple[int, ...]]:  # noqa: N802 (a constant elsewhere)
    """The shape of one frame, by modality."""
    return {"pose": (len(skeletons.SKELETONS[model.skeleton].parents), CHANNELS)}


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for."""
    return {
        "skeleton": skeletons.from_opengait(model_cfg["joint_format"]),
        "channels": tuple(model_cfg["in_channels"][1:]),
        "embedding": model_cfg["num_class"],
    }


OPENGAIT = [
    ("bn", "data_bn", "batch_norm"),
    *[
        (f"block{{i}}/{ours}", f"backbone.{{i}}.{theirs}", layout)
        for ours, theirs, layout in (
            ("temporal/conv", "tcn.conv", "conv"),
            ("temporal/bn", "tcn.bn", "batch_norm"),
            ("spatial/input_bn", "st.data_bn", "parts_bn"),
            ("spatial/qkv", "st.attention_conv.qkv_conv", "conv"),
            ("spatial/out", "st.attention_conv.attn_out", "conv"),
            ("spatial/bn", "st.bn", "batch_norm"),
            ("residual", "residual_s.0", "conv"),
            ("residual_bn", "residual_s.1", "batch_norm"),
            ("shortcut/conv", "down.conv", "conv"),
            ("shortcut/bn", "down.bn", "batch_norm"),
        )
    ],
    ("fc", "fcn", "conv"),
]
