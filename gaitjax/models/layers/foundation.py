"""What FoundationGait learns: an encoder, a projector and a predictor; and crops to learn from.

The networks that learn it, and go on from there, are made of a `Network`.

Ye et al., Silhouette-based Gait Foundation Model, arXiv:2512.00691.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models.layers import projector, residual
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max
from gaitjax.models.layers.projector import SeparateMLP, unit

EXAMPLE = {"silhouette": (64, 44)}  # the shape of one frame, by modality
BINS = (16, 8, 4, 2, 1)
CHANNELS = (64, 128, 256, 512)
BLOCKS = (1, 4, 8, 4)
STEP = 8  # a strip is a multiple of so many pixels high: half of one is whole rows of the maps


class Encoder(nn.Module):
    """The stages of DeepGaitV2 with P3D blocks, and the maximum over time.

    Attributes:
        channels: of the four stages.
        blocks: of the four stages.
        remat: whether to compute each block again for its gradient, which saves memory.
        dtype: of the activations.
    """

    channels: Sequence[int]
    blocks: Sequence[int]
    remat: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, lengths: jax.Array, train: bool) -> jax.Array:
        """Maps [N, T, H, W, 1], of which lengths [N] count, to [N, H / 4, W / 4, channels[3]]."""
        valid = valid_frames(lengths, x.shape[1])
        (first, *channels), (few, *blocks) = self.channels, self.blocks
        x = residual.stem(x, first, few, self.dtype, train, valid, remat=self.remat)
        x = residual.trunk(x, "p3d", channels, blocks, self.dtype, train, valid, remat=self.remat)
        return set_max(x, lengths)


class Foundation(nn.Module):
    """An encoder with a projector; the predictor is for its user to call.

    Attributes:
        channels: of the four stages of the encoder; every part has those of the last one.
        blocks: of the four stages.
        bins: strips of the horizontal pyramid.
        remat: whether to compute each block again for its gradient, which saves memory.
        dtype: of the activations.
    """

    channels: Sequence[int]
    blocks: Sequence[int]
    bins: Sequence[int]
    remat: bool
    dtype: Any

    def setup(self) -> None:
        """Names the three."""
        self.encoder = Encoder(self.channels, self.blocks, self.remat, self.dtype)
        self.projector = SeparateMLP(True, self.dtype)
        self.predictor = SeparateMLP(False, self.dtype)

    def __call__(
        self, x: jax.Array, lengths: jax.Array, train: bool, crops: Sequence[int] = ()
    ) -> jax.Array:
        """Projects the parts of sequences.

        Args:
            x: [N, T, H, W, 1] in 0..1.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            crops: as for `encode_crops`; none: sequences are seen whole.

        Returns:
            [N, sum(bins), channels[3]].
        """
        if crops:
            maps = encode_crops(self.encoder, x, lengths, train, crops)
        else:
            maps = self.encoder(x, lengths, train)
        parts: jax.Array = self.projector(horizontal_pyramid(maps, self.bins), train)
        return parts


class Network(nn.Module):
    """What FoundationGait's networks have in common.

    Attributes:
        classes: label -> number of classes.
        channels: of the four stages of the encoder.
        blocks: of the four stages.
        bins: strips of the horizontal pyramid.
        crops: into how many strips sequences are cut in training; see `encode_crops`.
        remat: whether to compute each block again for its gradient, which saves memory.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    channels: tuple[int, ...] = CHANNELS
    blocks: tuple[int, ...] = BLOCKS
    bins: tuple[int, ...] = BINS
    crops: tuple[int, ...] = (8, 4, 2, 1)
    remat: bool = False
    dtype: Any = jnp.float32

    def foundation(self, name: str) -> Foundation:
        """The submodule of that name."""
        return Foundation(self.channels, self.blocks, self.bins, self.remat, self.dtype, name=name)

    def pretrained(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, train: bool
    ) -> jax.Array:
        """What the teacher of pretraining projects, trained on, or not.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1; in training, in crops.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.

        Returns:
            [N, sum(bins), channels[3]] of unit length a part, in float32 or above.

        Raises:
            UserError: in training, if the number of rows does not fit to the crops.
        """
        teacher = self.foundation("teacher")
        x = images(inputs, "silhouette", self.dtype)
        parts = teacher(x, lengths, train, self.crops if train else ())
        if self.is_initializing():
            teacher.predictor(parts, train)  # without a use, but OpenGait's checkpoints have it
        return unit(parts)


def as_one_part(parts: jax.Array) -> jax.Array:
    """[N, P, C] -> [N, 1, C * P], the parts of the first channel first, as OpenGait joins them."""
    return jnp.swapaxes(parts, 1, 2).reshape(len(parts), 1, -1)


def encode_crops(
    encoder: nn.Module, x: jax.Array, lengths: jax.Array, train: bool, crops: Sequence[int]
) -> jax.Array:
    """Encodes sequences cut into horizontal strips, each of which the encoder sees by itself.

    Of every 2 * len(crops) rows that follow one another, the i-th and the (len(crops) + i)-th are
    cut into `crops[i]` strips of one height, the latter from half a strip higher. OpenGait cuts
    rows alike that lie in one len(crops)-th of the batch. Here these are spread over it: a crop is
    not that of a few identities, and a device cuts the rows that it has.

    Args:
        encoder: [N, T, H, W, 1], lengths, train -> [N, H / 4, W / 4, C].
        x: [N, T, H, W, 1].
        lengths: [N], frames that count.
        train: given to the encoder. BatchNorm normalises the rows of each of the `crops` by their
            own statistics, and keeps them one after another. (OpenGait's keeps them twice: it
            computes activations again for the gradient, and counts that too.)
        crops: numbers of strips; 1: the rows stay whole, and where they are.

    Returns:
        Maps [N, H / 4, W / 4, C] of the whole sequences, the strips put together again.

    Raises:
        UserError: if N is no multiple of 2 * len(crops), or H not of 8 * strips.
    """
    _check(x, crops)
    x, lengths = (y.reshape(-1, 2, len(crops), *y.shape[1:]) for y in (x, lengths))
    maps = [
        _encode_strips(encoder, x[:, :, i], lengths[:, :, i], train, strips)
        for i, strips in enumerate(crops)
    ]
    together = jnp.stack(maps, 2)  # [N / 2 len(crops), 2, len(crops), ...]
    return together.reshape(-1, *together.shape[3:])


def _encode_strips(
    encoder: nn.Module, x: jax.Array, lengths: jax.Array, train: bool, strips: int
) -> jax.Array:
    """Maps [M, 2, H / 4, W / 4, C] of pairs [M, 2, T, H, W, 1], the second ones cut higher."""
    if strips == 1:
        whole: jax.Array = encoder(_flat(x), _flat(lengths), train)
        return whole.reshape(-1, 2, *whole.shape[1:])
    m, half = len(x), x.shape[3] // strips // 2
    margin = [(0, 0), (0, 0), (half, half), (0, 0), (0, 0)]
    cut = [_cut(x[:, 0], strips), _cut(jnp.pad(x[:, 1], margin), strips + 1)]
    repeated = [jnp.repeat(lengths[:, i, None], strips + i, 1) for i in (0, 1)]
    x, lengths = jnp.concatenate(cut, 1), jnp.concatenate(repeated, 1)
    y = encoder(_flat(x), _flat(lengths), train)
    height, edge = strips * y.shape[1], y.shape[1] // 2
    y = y.reshape(m, -1, *y.shape[2:])  # the maps of a pair's strips, from top to bottom
    return jnp.stack([y[:, :height], y[:, height + edge : -edge]], 1)


def _cut(x: jax.Array, strips: int) -> jax.Array:
    """[M, T, H, W, C] -> [M, strips, T, H / strips, W, C], from top to bottom."""
    m, frames, _, width, channels = x.shape
    return jnp.moveaxis(x.reshape(m, frames, strips, -1, width, channels), 2, 1)


def _flat(x: jax.Array) -> jax.Array:
    """[M, S, ...] -> [M * S, ...]."""
    return x.reshape(-1, *x.shape[2:])


def _check(x: jax.Array, crops: Sequence[int]) -> None:
    rows, height = x.shape[0], x.shape[2]
    if rows % (2 * len(crops)):
        raise UserError(
            f"a batch of {rows} rows is cut in {len(crops)} ways, config.model.crops; expected a "
            f"multiple of {2 * len(crops)} rows: change config.data.sampler"
        )
    for strips in crops:
        if strips > 1 and height % (STEP * strips):
            raise UserError(
                f"config.model.crops: {strips} strips of {height} pixels; expected strips of a "
                f"multiple of {STEP} pixels"
            )


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network's kin that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone other than here, or another number of parts.
    """
    theirs, bins = model_cfg["Backbone"], tuple(model_cfg["bin_num"])
    found = theirs["mode"], theirs["in_channels"], model_cfg["parts_num"]
    if found != ("p3d", 1, sum(bins)):
        raise UserError(
            "model_cfg has Backbone.mode, Backbone.in_channels and parts_num of "
            f"{found[0]}, {found[1]} and {found[2]}; expected p3d, 1 and {sum(bins)}"
        )
    return {
        "channels": tuple(theirs["channels"]),
        "blocks": tuple(theirs["layers"]),
        "bins": bins,
        "crops": tuple(model_cfg["crop_list"]),
    }


_PARTS = [
    *((f"encoder/{ours}", theirs, layout) for ours, theirs, layout in residual.OPENGAIT),
    *projector.OPENGAIT,
]
OPENGAIT = [(f"teacher/{ours}", f"teacher_backbone.{x}", layout) for ours, x, layout in _PARTS]
STUDENT = [(f"student/{ours}", f"student_backbone.{x}", layout) for ours, x, layout in _PARTS]
