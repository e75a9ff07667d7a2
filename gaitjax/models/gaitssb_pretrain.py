"""GaitSSB: gait learnt from unlabelled walks by contrast (Fan et al., TPAMI 2023), pretraining.

A sequence is drawn twice, with frames and augmentation of its own; the two views of one sequence
are to be more alike than those of different sequences. `gaitssb_finetune` goes on from there.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.models.layers import backbone, projector
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max
from gaitjax.models.layers.projector import SeparateMLP, contrast, unit

EXAMPLE = {"silhouette": (64, 44)}  # the shape of one frame, by modality
BINS = (16, 8, 4, 2, 1)


class Model(nn.Module):
    """GaitSSB's encoder, projector and predictor.

    Attributes:
        classes: label -> number of classes; it has no use for them.
        backbone: 'type' (resnet or plain), and the fields of that backbone.
        bins: strips of the horizontal pyramid.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    backbone: Mapping[str, Any] = backbone.RESNET9
    bins: tuple[int, ...] = BINS
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences, or contrasts two views of each.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1; in training, the two views of a sequence are
                rows next to each other.
            lengths: [N], frames that count.
            train: whether rows are pairs of views, and BatchNorm uses, and keeps, the statistics of
                each view.
            draws: none are needed.

        Returns:
            In evaluation embeddings [N, sum(bins), C] of unit length a part, C being the backbone's
            last channels; in training the terms 'softmax1' and 'softmax2'.

        Raises:
            UserError: in training, if the number of rows is odd.
        """
        x = images(inputs, "silhouette", self.dtype)
        encoder = backbone.build(self.backbone, self.dtype)
        project = SeparateMLP(True, self.dtype, name="projector")
        predict = SeparateMLP(False, self.dtype, name="predictor")

        def embed(x: jax.Array, lengths: jax.Array) -> tuple[jax.Array, jax.Array]:
            x = encoder(x, train, valid_frames(lengths, x.shape[1]))
            projection = project(horizontal_pyramid(set_max(x, lengths), self.bins), train)
            return unit(projection), unit(predict(projection, train))

        if not train:
            return Output(embed(x, lengths)[1])
        if len(x) % 2:
            raise UserError(
                f"gaitssb_pretrain found a batch of {len(x)} rows; expected pairs of views; set "
                "config.data.sampler.type to 'pairs'"
            )
        views = [jnp.moveaxis(y.reshape(-1, 2, *y.shape[1:]), 1, 0) for y in (x, lengths)]
        # One view after the other: BatchNorm normalises each by its own statistics.
        (z1, p1), (z2, p2) = (embed(*view) for view in zip(*views, strict=True))
        return Output(None, terms={"softmax1": contrast(p1, z2), "softmax2": contrast(p2, z1)})


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone other than here, or another number of parts.
    """
    if model_cfg["parts_num"] != sum(BINS):
        raise UserError(f"model_cfg.parts_num is {model_cfg['parts_num']}; expected {sum(BINS)}")
    return {"backbone": backbone.from_opengait(model_cfg["backbone_cfg"]), "bins": BINS}


OPENGAIT = [*backbone.OPENGAIT, *projector.OPENGAIT]
