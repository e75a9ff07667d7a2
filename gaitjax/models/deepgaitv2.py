"""DeepGaitV2: a deep residual network of 2-D, P3D or 3-D blocks (Fan et al., arXiv:2303.03301).

SkeletonGait (Fan et al., AAAI 2024) is the same on skeleton maps.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.models.layers import head, residual
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max

EXAMPLE = {"silhouette": (64, 44), "heatmap": (64, 44, 2)}  # the shape of one frame, by modality
CHANNELS = {1: "silhouette", 2: "heatmap"}


class Model(nn.Module):
    """DeepGaitV2.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        modality: what is read, such as 'silhouette' or 'heatmap'.
        mode: kind of the blocks behind the first stage: '2d', 'p3d' or '3d'.
        channels: of the four stages; every part of the embedding has those of the third.
        blocks: of the four stages.
        inference_head: what embeds: 'fc', or 'bnneck' for what the classes are told apart by.
        remat: whether to compute each block again for its gradient, which saves memory.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    modality: str = "silhouette"
    mode: str = "p3d"
    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    blocks: tuple[int, int, int, int] = (1, 1, 1, 1)
    inference_head: str = "fc"
    remat: bool = False
    dtype: Any = jnp.float32

    @property
    def mixes_frames(self) -> bool:
        """Whether frames are mixed before they are pooled."""
        return self.mode != "2d"

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: `modality` -> [N, T, H, W] or [N, T, H, W, C] in 0..1.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, 16, channels[2]].
        """
        x = images(inputs, self.modality, self.dtype)
        valid = valid_frames(lengths, x.shape[1])
        (first, *channels), (few, *blocks) = self.channels, self.blocks
        x = residual.stem(x, first, few, self.dtype, train, valid, remat=self.remat)
        x = residual.trunk(
            x, self.mode, channels, blocks, self.dtype, train, valid, remat=self.remat
        )
        parts = horizontal_pyramid(set_max(x, lengths), (16,))
        embeddings, normalised, logits = head.embed_normalise_and_classify(
            parts, self.channels[2], self.classes["identity"], self.dtype, train
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        chosen = head.choose(self.inference_head, fc=embeddings, bnneck=normalised)
        return Output(chosen, terms=terms)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for other than one or two channels of input.
    """
    theirs = model_cfg["Backbone"]
    if theirs["in_channels"] not in CHANNELS:
        raise UserError(
            f"model_cfg.Backbone.in_channels is {theirs['in_channels']}; expected 1 (silhouettes) "
            "or 2 (skeleton maps)"
        )
    return {
        "modality": CHANNELS[theirs["in_channels"]],
        "mode": theirs["mode"],
        "channels": tuple(theirs["channels"]),
        "blocks": tuple(theirs["layers"]),
        "inference_head": "bnneck" if model_cfg.get("use_emb2", False) else "fc",
    }


OPENGAIT = [*residual.OPENGAIT, *head.OPENGAIT]
