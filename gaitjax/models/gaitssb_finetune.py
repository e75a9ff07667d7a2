"""GaitSSB fine-tuned on labelled walks (Fan et al., TPAMI 2023): pretrained encoder, new head."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output, gaitssb_pretrain
from gaitjax.models.gaitssb_pretrain import BINS, EXAMPLE
from gaitjax.models.layers import backbone, projector
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max
from gaitjax.models.layers.projector import SeparateMLP
from gaitjax.models.layers.separate import SeparateFCs, l2_normalise

__all__ = ["EXAMPLE", "OPENGAIT", "Model", "from_opengait", "frozen"]


class Model(nn.Module):
    """GaitSSB's encoder and projector, and a head of cosines.

    Attributes:
        classes: label -> number of classes; it has no use for them.
        backbone: 'type' (resnet or plain), and the fields of that backbone.
        bins: strips of the horizontal pyramid.
        fixed_batch_norm: whether BatchNorm keeps the statistics of pretraining, in training too.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    backbone: Mapping[str, Any] = backbone.RESNET9
    bins: tuple[int, ...] = BINS
    fixed_batch_norm: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics where not fixed.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), C], C being the backbone's last channels: cosines to as many
            learnt directions.
        """
        train = train and not self.fixed_batch_norm
        x = images(inputs, "silhouette", self.dtype)
        x = backbone.build(self.backbone, self.dtype)(x, train, valid_frames(lengths, x.shape[1]))
        parts = horizontal_pyramid(set_max(x, lengths), self.bins)
        parts = SeparateMLP(True, self.dtype, name="projector")(parts, train)
        wide = jnp.promote_types(self.dtype, jnp.float32)
        parts = l2_normalise(parts.astype(wide), -1)
        parts = SeparateFCs(parts.shape[-1], self.dtype, normalise=True, name="head")(parts)
        embeddings = parts.astype(wide)
        return Output(embeddings, terms={"triplet": {"embeddings": embeddings}})


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone other than here, or another number of parts.
    """
    # BatchNorm is fixed by trainer_cfg.fix_BN, which is true in every config of OpenGait's.
    return gaitssb_pretrain.from_opengait(model_cfg)


def frozen(model_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters that OpenGait never trains, as patterns of config.freeze.

    OpenGait freezes the other stages too, for good, as soon as the network has been evaluated; that
    is a fault, and they are trained on here.
    """
    rates = enumerate(model_cfg["backbone_lr"], 1)
    stages = (f"backbone/layer{i}_*" for i, rate in rates if rate == 0)
    return ("backbone/conv1/*", "backbone/bn1/*", *stages)


OPENGAIT = [
    *backbone.OPENGAIT,
    *projector.OPENGAIT,
    ("head/kernel", "head0.fc_bin", "as_is"),
]
