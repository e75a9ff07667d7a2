"""Segmentation of people by a U-Net, GaitEdge's first phase (Liang et al., ECCV 2022)."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import unet
from gaitjax.models.layers.frames import pick
from gaitjax.models.layers.padding import valid_frames

# the shape of one frame, by modality
EXAMPLE = {"rgb": (128, 128, 3), "mask": (128, 128)}


class Model(nn.Module):
    """A U-Net that predicts silhouettes.

    Attributes:
        classes: label -> number of classes; they are not needed.
        channels: of the U-Net's levels.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    channels: tuple[int, ...] = (16, 32, 64, 128)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Segments frames.

        Args:
            inputs: 'rgb' [N, T, H, W, 3], normalised; 'mask' [N, T, H, W] in 0..1.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            no embeddings; the prediction 'mask' [N, T, H, W], 0 or 1.
        """
        segmenter = unet.UNet(self.channels, self.dtype, name="segmenter")
        bce = segment(segmenter, inputs, lengths, train)
        mask = (bce["probabilities"] > 0.5).astype(bce["probabilities"].dtype)
        return Output(None, {"mask": mask}, {"bce": bce}, {"mask": mask})


def segment(
    segmenter: unet.UNet,
    inputs: Mapping[str, jax.Array],
    lengths: jax.Array,
    train: bool,
) -> dict[str, jax.Array]:
    """The arguments of the binary cross entropy: 'probabilities', 'target' and 'mask'."""
    rgb = pick(inputs, "rgb", segmenter.dtype)
    valid = valid_frames(lengths, rgb.shape[1])
    logits = segmenter(rgb, train, valid)
    wide = jnp.promote_types(logits.dtype, jnp.float32)
    return {
        "probabilities": nn.sigmoid(logits.astype(wide)),
        "target": pick(inputs, "mask", wide),
        "mask": valid,
    }


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for: it has none."""
    return {}


def frozen(model_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Patterns of the parameters that OpenGait does not train."""
    return FROZEN if model_cfg["backbone_cfg"].get("freeze_half", True) else ()


FROZEN = ("segmenter/encoder*",)
OPENGAIT = [
    (f"segmenter/{ours}", f"Backbone.{theirs}", layout) for ours, theirs, layout in unet.OPENGAIT
]
