"""GaitBase: a ResNet on silhouettes with a BNNeck a part (Fan et al., OpenGait, CVPR 2023)."""

from collections.abc import Mapping
from typing import Any

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import plain, resnet
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max
from gaitjax.models.layers.separate import SeparateBNNecks, SeparateFCs

EXAMPLE = {"silhouette": (128, 88)}  # the shape of one frame, by modality; fits either backbone

RESNET9: Mapping[str, Any] = flax.core.FrozenDict(
    {
        "type": "resnet",
        "channels": (64, 128, 256, 512),
        "blocks": (1, 1, 1, 1),
        "strides": (1, 2, 2, 1),
    }
)
BACKBONES = {"resnet": resnet.ResNet, "plain": plain.Plain}


class Model(nn.Module):
    """GaitBase.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        backbone: 'type' (resnet or plain), and the fields of that backbone.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    backbone: Mapping[str, Any] = RESNET9
    embedding: int = 256
    bins: tuple[int, ...] = (16,)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), embedding] before the BNNecks.
        """
        options = dict(self.backbone)
        backbone = BACKBONES[options.pop("type")](**options, dtype=self.dtype, name="backbone")
        x = inputs["silhouette"].astype(self.dtype)[..., None]
        x = backbone(x, train, valid_frames(lengths, x.shape[1]))
        parts = horizontal_pyramid(set_max(x, lengths), self.bins)
        parts = SeparateFCs(self.embedding, self.dtype, name="head")(parts)
        embeddings = parts.astype(jnp.promote_types(self.dtype, jnp.float32))
        neck = SeparateBNNecks(self.classes["identity"], self.dtype, name="necks")
        _, logits = neck(embeddings, train)
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for."""
    theirs = model_cfg["backbone_cfg"]
    if theirs["type"] == "Plain":
        backbone = {"type": "plain", "layers": tuple(theirs["layers_cfg"])}
    else:
        backbone = {
            "type": "resnet",
            "channels": tuple(theirs["channels"]),
            "blocks": tuple(theirs["layers"]),
            "strides": tuple(theirs["strides"]),
        }
    return {
        "backbone": backbone,
        "embedding": model_cfg["SeparateFCs"]["out_channels"],
        "bins": tuple(model_cfg["bin_num"]),
    }


OPENGAIT = [
    *[
        (f"backbone/{ours}", f"Backbone.forward_block.{theirs}", layout)
        for ours, theirs, layout in plain.OPENGAIT + resnet.OPENGAIT
    ],
    ("head/kernel", "FCs.fc_bin", "as_is"),
    ("necks/kernel", "BNNecks.fc_bin", "as_is"),
    ("necks/bn", "BNNecks.bn1d", "parts_bn"),
]
