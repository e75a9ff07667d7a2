"""GaitBase: a ResNet on silhouettes with a BNNeck a part (Fan et al., OpenGait, CVPR 2023).

LidarGait (Shen et al., CVPR 2023) is the same on depth images of a LiDAR's points.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import backbone, head
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max

# The shape of one frame, by modality; fits either backbone.
EXAMPLE = {"silhouette": (128, 88), "parsing": (128, 88), "depth": (128, 88, 3)}


class Model(nn.Module):
    """GaitBase.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        modality: what is read, such as 'silhouette' or 'depth'.
        backbone: 'type' (resnet or plain), and the fields of that backbone.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        dtype: of the activations.
    """

    label: ClassVar[str] = "identity"  # what the logits tell apart

    classes: Mapping[str, int]
    modality: str = "silhouette"
    backbone: Mapping[str, Any] = backbone.RESNET9
    embedding: int = 256
    bins: tuple[int, ...] = (16,)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: `modality` -> [N, T, H, W] or [N, T, H, W, C]; silhouettes and depths in 0..1.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), embedding] before the BNNecks.
        """
        x = images(inputs, self.modality, self.dtype)
        x = backbone.build(self.backbone, self.dtype)(x, train, valid_frames(lengths, x.shape[1]))
        parts = horizontal_pyramid(set_max(x, lengths), self.bins)
        embeddings, logits = head.embed_and_classify(
            parts, self.embedding, self.classes[self.label], self.dtype, train
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone or BNNecks other than here.
    """
    theirs = model_cfg["backbone_cfg"]
    return {
        "modality": "depth" if theirs.get("in_channel", 1) == 3 else "silhouette",
        "backbone": backbone.from_opengait(theirs),
        **head.from_opengait(model_cfg),
    }


OPENGAIT = [*backbone.OPENGAIT, *head.OPENGAIT]
