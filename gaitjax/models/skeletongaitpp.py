"""SkeletonGait++: silhouettes and skeleton maps, fused by attention (Fan et al., AAAI 2024)."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import attention, head, residual
from gaitjax.models.layers.attention import PixelScores
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max

EXAMPLE = {"silhouette": (64, 44), "heatmap": (64, 44, 2)}  # the shape of one frame, by modality
MIXES_FRAMES = True  # before they are pooled
SQUEEZE = 16  # the attention has so many times fewer channels than what it weighs


class Model(nn.Module):
    """SkeletonGait++.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        channels: of the four stages, at least 16; every part of the embedding has those of the
            third.
        blocks: of the four stages.
        inference_head: what embeds: 'fc', or 'bnneck' for what the classes are told apart by.
        remat: whether to compute each block again for its gradient, which saves memory.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    blocks: tuple[int, int, int, int] = (1, 1, 1, 1)
    inference_head: str = "fc"
    remat: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'silhouette' [N, T, H, W] and 'heatmap' [N, T, H, W, 2], both in 0..1.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, 16, channels[2]].
        """
        silhouette = images(inputs, "silhouette", self.dtype)
        heatmap = images(inputs, "heatmap", self.dtype)
        valid = valid_frames(lengths, silhouette.shape[1])
        silhouette = self._stem(silhouette, "silhouette_", train, valid)
        heatmap = self._stem(heatmap, "heatmap_", train, valid)
        x = self._fuse(silhouette, heatmap, train, valid)
        _, *channels = self.channels
        _, *blocks = self.blocks
        x = residual.trunk(x, "p3d", channels, blocks, self.dtype, train, valid, remat=self.remat)
        parts = horizontal_pyramid(set_max(x, lengths), (16,))
        embeddings, normalised, logits = head.embed_normalise_and_classify(
            parts, self.channels[2], self.classes["identity"], self.dtype, train
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        chosen = head.choose(self.inference_head, fc=embeddings, bnneck=normalised)
        return Output(chosen, terms=terms)

    def _stem(self, x: jax.Array, prefix: str, train: bool, valid: jax.Array) -> jax.Array:
        features, blocks = self.channels[0], self.blocks[0]
        return residual.stem(
            x, features, blocks, self.dtype, train, valid, prefix=prefix, remat=self.remat
        )

    def _fuse(
        self, silhouette: jax.Array, heatmap: jax.Array, train: bool, valid: jax.Array
    ) -> jax.Array:
        """The sum of the two maps, weighted at every pixel of every channel."""
        channels = self.channels[0]
        scores = PixelScores(2 * channels, channels // SQUEEZE, 3, self.dtype, name="fusion")
        x = scores(jnp.concatenate([silhouette, heatmap], -1), train, valid)
        weights = nn.softmax(jnp.stack(jnp.split(x, 2, -1)), 0)
        return silhouette * weights[0] + heatmap * weights[1]


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for."""
    theirs = model_cfg["Backbone"]
    return {
        "channels": tuple(32 * theirs["C"] * factor for factor in (1, 2, 4, 8)),
        "blocks": tuple(theirs["blocks"]),
        "inference_head": "bnneck" if model_cfg.get("use_emb2", False) else "fc",
    }


OPENGAIT = [
    *[
        (f"{ours}_{name}", f"{theirs}_{key}", layout)
        for ours, theirs in (("silhouette", "sil"), ("heatmap", "map"))
        for name, key, layout in residual.OPENGAIT
    ],
    *residual.OPENGAIT,
    *[
        (f"fusion/{ours}", f"fusion.conv.{theirs}", layout)
        for ours, theirs, layout in attention.OPENGAIT
    ],
    *head.OPENGAIT,
]
