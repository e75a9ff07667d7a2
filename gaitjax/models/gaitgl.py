"""GaitGL: global and local 3-D convolutions with temporal aggregation (Lin et al., ICCV 2021)."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.gem import GeM
from gaitjax.models.layers.padding import valid_frames, zero_padding
from gaitjax.models.layers.pooling import max_pool_2x2, set_max
from gaitjax.models.layers.separate import SeparateBNNecks, SeparateFCs
from gaitjax.models.layers.strips import in_strips

# the shape of one frame, by modality
EXAMPLE = {"silhouette": (64, 44), "parsing": (64, 44)}
CUBE = (3, 3, 3)


class Stem(nn.Module):
    """3-D convolutions, then local temporal aggregation: one frame of every three."""

    features: int
    depth: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T // 3, H, W, features]; valid is [N, T]."""
        for i in range(self.depth):
            x = zero_padding(x, valid)
            x = nn.leaky_relu(conv(self.features, CUBE, self.dtype, f"conv{i}")(x))
        # What is made of three valid frames is valid, so the padding need not be zero here.
        aggregate = conv(self.features, (3, 1, 1), self.dtype, "aggregate", (3, 1, 1), (0, 0, 0))
        return nn.leaky_relu(aggregate(x))


class GlobalLocal(nn.Module):
    """A convolution of the whole map, and one of each of its horizontal strips by itself.

    Attributes:
        features: channels of the result.
        strips: into how many the map is cut.
        stacked: whether the two results are stacked, global above local, and not added.
        dtype: of the activations.
    """

    features: int
    strips: int
    stacked: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H or 2 * H, W, features]; valid is [N, T]."""
        x = zero_padding(x, valid)
        whole = conv(self.features, CUBE, self.dtype, "global")(x)
        local = conv(self.features, CUBE, self.dtype, "local")
        strips = in_strips(x, 2, x.shape[2] // self.strips, local)
        if self.stacked:
            return nn.leaky_relu(jnp.concatenate([whole, strips], 2))
        return nn.leaky_relu(whole) + nn.leaky_relu(strips)


class Model(nn.Module):
    """GaitGL.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        channels: of the stages. With three the network is shallow and its strips an eighth of the
            map; with four every stage has two convolutions, and strips are half of the map.
        parts: strips of the last pooling, which make up the embedding.
        necks: whether a BNNeck a part classifies, and not one BatchNorm for all parts.
        modality: what is read, silhouettes or parsing maps.
        remat: whether the backward pass computes every block once more, to save memory.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    channels: tuple[int, ...] = (32, 64, 128)
    parts: int = 64
    necks: bool = False
    modality: str = "silhouette"
    remat: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: the modality, [N, T, H, W].
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, parts, the last of channels].
        """
        x, lengths = repeat_short(images(inputs, self.modality, self.dtype), lengths)
        parts = GeM(self.parts, name="gem")(self._features(x, lengths))
        parts = SeparateFCs(self.channels[-1], self.dtype, name="head")(parts)
        wide = jnp.promote_types(self.dtype, jnp.float32)
        embeddings = parts.astype(wide)
        if self.necks:
            neck = SeparateBNNecks(self.classes["identity"], self.dtype, name="necks")
            _, logits = neck(embeddings, train)
        else:
            embeddings = BatchNorm(wide, name="bn")(embeddings, train)
            logits = SeparateFCs(self.classes["identity"], wide, name="classifier")(embeddings)
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)

    def _features(self, x: jax.Array, lengths: jax.Array) -> jax.Array:
        """[N, T, H, W, 1] -> [N, H, W / 2, channels], over all frames."""
        depth, strips = (2, 2) if len(self.channels) == 4 else (1, 8)
        stem = nn.remat(Stem) if self.remat else Stem
        block = nn.remat(GlobalLocal) if self.remat else GlobalLocal
        valid = valid_frames(lengths, x.shape[1])
        x = stem(self.channels[0], depth, self.dtype, name="stem")(x, valid)
        lengths = lengths // 3
        valid = valid_frames(lengths, x.shape[1])
        for stage, channels in enumerate((*self.channels[1:], self.channels[-1])[:3]):
            x = max_pool_2x2(x) if stage == 1 else x
            for i in range(depth):
                stacked = stage == 2 and i == depth - 1
                name = f"stage{stage}" if depth == 1 else f"stage{stage}_{i}"
                x = block(channels, strips, stacked, self.dtype, name=name)(x, valid)
        return set_max(x, lengths)


def repeat_short(x: jax.Array, lengths: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Repeats sequences of one or two frames, to three or four: one step in time needs three.

    Args:
        x: [N, T, ...].
        lengths: [N].

    Returns:
        [N, max(T, 4), ...], and the lengths in it.
    """
    frames = jnp.arange(max(x.shape[1], 4)) % lengths[:, None]
    x = jax.vmap(lambda sequence, index: sequence[index])(x, frames)
    return x, jnp.where(lengths < 3, lengths + 2, lengths)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    OpenGait builds the deep network for two datasets, by their names; these are those with four
    channels.
    """
    return {"channels": tuple(model_cfg["channels"]), "necks": "SeparateBNNecks" in model_cfg}


OPENGAIT = [
    ("stem/conv0", "conv3d.0.conv3d", "conv"),
    ("stem/conv1", "conv3d.2.conv3d", "conv"),
    ("stem/aggregate", "LTA.0.conv3d", "conv"),
    *[
        (f"stage{ours}/{kind}", f"GLConv{theirs}.{kind}_conv3d.conv3d", "conv")
        for stage in ("A0", "A1", "B2")
        for ours, theirs in ((stage[1], stage), (stage[1] + "_{i}", stage + ".{i}"))  # deep ones
        for kind in ("global", "local")
    ],
    ("gem/exponent", "HPP.p", "as_is"),
    ("head/kernel", "Head0.fc_bin", "as_is"),
    ("bn", "Bn", "batch_norm"),
    ("classifier/kernel", "Head1.fc_bin", "as_is"),
    ("necks/kernel", "BNNecks.fc_bin", "as_is"),
    ("necks/bn", "BNNecks.bn1d", "parts_bn"),
]
