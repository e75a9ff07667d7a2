"""MultiGait++: what two sets of modalities have in common, and what not (Jin et al., AAAI 2025)."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.models.layers import attention, head, residual
from gaitjax.models.layers.attention import PixelScores
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, largest, set_max

# The shape of one frame, by modality.
EXAMPLE = {"silhouette": (64, 44), "parsing": (64, 44), "flow": (64, 44, 3)}
MIXES_FRAMES = True  # before they are pooled
SQUEEZE = 16  # the attention has so many times fewer channels than what it weighs
# OpenGait's numbers of channels of the two parts, and what they are made of
PARTS = {
    (1, 1): (("silhouette",), ("parsing",)),
    (1, 3): (("silhouette",), ("flow",)),
    (2, 3): (("silhouette", "parsing"), ("flow",)),
}


class Model(nn.Module):
    """MultiGait++.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        part1: modalities whose channels make up the first part.
        part2: and the second.
        channels: of the four stages, at least 16; every part of the embedding has those of the
            third.
        blocks: of the four stages.
        remat: whether to compute each block again for its gradient, which saves memory.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    part1: tuple[str, ...] = ("silhouette",)
    part2: tuple[str, ...] = ("parsing",)
    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    blocks: tuple[int, int, int, int] = (1, 1, 1, 1)
    remat: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: the modalities of both parts, [N, T, H, W] or [N, T, H, W, C] in 0..1; parsing
                is 20 / 255 of the class numbers.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, 16, channels[2]].
        """
        x1 = self._read(inputs, self.part1)
        valid = valid_frames(lengths, x1.shape[1])
        x1 = self._stem(x1, "part1_", train, valid)
        x2 = self._stem(self._read(inputs, self.part2), "part2_", train, valid)
        streams: tuple[jax.Array, ...] = self._compare(x1, x2, train, valid)
        for i in (2, 3):
            streams = tuple(
                self._stage(i, 2, prefix)(x, train, valid)
                for x, prefix in zip(streams, ("part1_", "", "part2_"), strict=True)
            )
        x = jnp.concatenate(streams, -1)
        x = conv(self.channels[2], 1, self.dtype, "fusion")(x)
        x = self._stage(4, 1)(x, train, valid)
        parts = horizontal_pyramid(set_max(x, lengths), (16,))
        embeddings, logits = head.embed_and_classify(
            parts, self.channels[2], self.classes["identity"], self.dtype, train
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)

    def _read(self, inputs: Mapping[str, jax.Array], part: tuple[str, ...]) -> jax.Array:
        return jnp.concatenate([images(inputs, modality, self.dtype) for modality in part], -1)

    def _stem(self, x: jax.Array, prefix: str, train: bool, valid: jax.Array) -> jax.Array:
        features, blocks = self.channels[0], self.blocks[0]
        return residual.stem(
            x, features, blocks, self.dtype, train, valid, prefix=prefix, remat=self.remat
        )

    def _stage(self, number: int, stride: int, prefix: str = "") -> residual.Stage:
        features, blocks = self.channels[number - 1], self.blocks[number - 1]
        name = f"{prefix}layer{number}"
        return residual.Stage("p3d", features, blocks, stride, self.dtype, self.remat, name=name)

    def _compare(
        self, x1: jax.Array, x2: jax.Array, train: bool, valid: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """Commonality and difference of two maps [N, T, H, W, C], the paper's C2 attention.

        Returns:
            (what is the first part's own, what both have in common, what is the second part's own).
        """
        channels = self.channels[0]
        scores = [
            PixelScores(channels, channels // SQUEEZE, 1, self.dtype, name=name)(x, train, valid)
            for x, name in ((x1, "scores1"), (x2, "scores2"))
        ]
        # The range below may be so small that bfloat16 would leave little of it but rounding.
        wide = jnp.promote_types(self.dtype, jnp.float32)
        weight1, weight2 = nn.softmax(jnp.stack(scores).astype(wide), 0)
        common = jnp.minimum(weight1, weight2)
        least, most = -largest(-common, -1)[..., None], largest(common, -1)[..., None]
        # Within 0..1 as it is, though OpenGait clips it.
        common = (common - least) / (most - least + 1e-6)
        own = 1 - common
        own1, shared, own2 = x1 * own * weight1, (x1 + x2) / 2 * common, x2 * own * weight2
        return own1.astype(self.dtype), shared.astype(self.dtype), own2.astype(self.dtype)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for parts of other channels.
    """
    theirs = model_cfg["Backbone"]
    channels = (theirs["part1_channel"], theirs["part2_channel"])
    if channels not in PARTS:
        raise UserError(
            f"model_cfg.Backbone has part1_channel, part2_channel {channels}; expected one of "
            f"{', '.join(map(str, PARTS))}"
        )
    part1, part2 = PARTS[channels]
    return {
        "part1": part1,
        "part2": part2,
        "channels": tuple(32 * theirs["C"] * factor for factor in (1, 2, 4, 8)),
        "blocks": tuple(theirs["blocks"]),
    }


OPENGAIT = [
    *[
        (f"{part}_{ours}", f"{part}_{theirs}", layout)
        for part in ("part1", "part2")
        for ours, theirs, layout in residual.OPENGAIT
    ],
    *residual.OPENGAIT,
    # OpenGait's attention calls the second part its first.
    *[
        (f"{scores}/{ours}", f"csquare.{attended}.{theirs}", layout)
        for scores, attended in (("scores1", "conv2"), ("scores2", "conv1"))
        for ours, theirs, layout in attention.OPENGAIT
    ],
    ("fusion", "fusion.conv.forward_block.0", "conv"),
    *head.OPENGAIT,
]
