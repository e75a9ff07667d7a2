"""GaitEdge: GaitGL on silhouettes whose edges a U-Net segments (Liang et al., ECCV 2022)."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output, gaitgl, segmentation
from gaitjax.models.layers import align, unet
from gaitjax.models.layers.frames import pick

EXAMPLE = {**segmentation.EXAMPLE, "ratio": ()}  # the shape of one frame, by modality


class Model(nn.Module):
    """GaitEdge, or its plain end-to-end form.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        channels: of GaitGL's stages.
        segmenter: channels of the U-Net's levels.
        edge: whether the U-Net predicts only the edges of given silhouettes, and not all of them.
        kernel: height and width of the square whose dilation and erosion the edge lies between.
        size: height and width of the aligned silhouettes, pixels; the height is GaitGL's parts.
        remat: whether the backward pass computes GaitGL's blocks once more, to save memory.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    channels: tuple[int, ...] = (32, 64, 128)
    segmenter: tuple[int, ...] = (16, 32, 64, 128)
    edge: bool = True
    kernel: int = 3
    size: tuple[int, int] = (64, 44)
    remat: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'rgb' [N, T, H, W, 3], normalised; 'mask' [N, T, H, W] in 0..1, silhouettes that
                are not aligned; 'ratio' [N, T], width / height of the box that each frame was cut
                from.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, parts, channels], as GaitGL's.
        """
        segmenter = unet.UNet(self.segmenter, self.dtype, name="segmenter")
        bce = segmentation.segment(segmenter, inputs, lengths, train)
        probabilities, mask = bce["probabilities"], bce["target"]
        if self.edge:
            silhouettes = align.synthesise(probabilities, mask, self.kernel)
        else:
            silhouettes, mask = probabilities, jnp.round(probabilities)
        ratio = pick(inputs, "ratio", mask.dtype)
        silhouettes = align.align(silhouettes, mask, ratio, *self.size)
        recogniser = gaitgl.Model(
            self.classes, self.channels, self.size[0], remat=self.remat, dtype=self.dtype
        )
        nn.share_scope(self, recogniser)  # its parameters are named as in GaitGL's checkpoints
        output = recogniser({"silhouette": silhouettes}, lengths, train=train)
        images = {"silhouettes": silhouettes}
        return dataclasses.replace(output, terms={**output.terms, "bce": bce}, images=images)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    OpenGait reads `kernel_size` even without edges, where its own config has none; ours does not.

    Raises:
        UserError: for silhouettes that are resized and not aligned.
    """
    if not model_cfg["align"]:
        raise UserError("model_cfg.align is false; expected true: GaitEdge aligns its silhouettes")
    options = gaitgl.from_opengait(model_cfg["GaitGL"])
    edge = model_cfg["edge"]
    kernel = {"kernel": model_cfg["kernel_size"]} if edge else {}
    return {"channels": options["channels"], "edge": edge, **kernel}


def frozen(model_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Patterns of the parameters that OpenGait does not train."""
    return segmentation.frozen({"backbone_cfg": model_cfg["Segmentation"]})


OPENGAIT = gaitgl.OPENGAIT + segmentation.OPENGAIT
