"""DenoisingGait: flows of diffusion features, within and between frames (Jin et al., CVPR 2025).

The features are stored: what a diffusion model makes of each frame, 4 channels of 96 x 48.
"""

import itertools
from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import attention, backbone, head, resnet
from gaitjax.models.layers.align import dilate, erode
from gaitjax.models.layers.attention import PixelScores
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.frames import images, pick
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max
from gaitjax.models.layers.residual import ConvBN

EXAMPLE = {"latents": (96, 48, 4), "silhouette": (96, 48)}  # the shape of one frame, by modality
MIXES_FRAMES = True  # before they are pooled
RADII = (1, 2, 3)  # of the windows that flows within a frame look at, pixels
ERODED = 5  # pixels of the square that says what is inside of a silhouette
COARSEST = 0.5  # the threshold of the largest of RADII, which OpenGait does not let choose
SQUEEZE = 16  # the attention has so many times fewer channels than what it weighs


class Model(nn.Module):
    """DenoisingGait.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        channels: of the four stages of the backbone, the third of which has at least 16.
        blocks: of each stage.
        strides: of the first block of each stage.
        encoder: channels of the encoders before the flows within a frame, four times those before
            the flow between frames; at least 16.
        radius: of the windows that the flow between frames looks at, pixels.
        smoothed: share of the sequences of a batch that are smoothed in training.
        threshold: of smoothing: the length of a vector, pixels, from which on it is left out.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    channels: tuple[int, ...] = (64, 128, 256, 512)
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    strides: tuple[int, ...] = (1, 2, 2, 1)
    encoder: int = 64
    radius: int = 3
    smoothed: float = 0.5
    threshold: float = 0.5
    embedding: int = 256
    bins: tuple[int, ...] = (24,)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self,
        inputs: Mapping[str, jax.Array],
        lengths: jax.Array,
        *,
        train: bool,
        draws: jax.Array | None = None,
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'latents' [N, T, H, W, 4], and 'silhouette' [N, T, h, w] of the same part of the
                picture, larger than 0 where the person is; it is stretched to H x W.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics, and some sequences
                are smoothed.
            draws: bool [N], which ones; made by `draw` if None.

        Returns:
            embeddings [N, sum(bins), embedding] before the BNNecks.
        """
        latents = images(inputs, "latents", self.dtype)
        person = pick(inputs, "silhouette", jnp.float32) > 0
        person = jax.image.resize(person, latents.shape[:4], "nearest")
        valid = valid_frames(lengths, latents.shape[1])
        within = self._within(latents, person, train, valid)
        if train and self.smoothed:
            chosen = self.draw(self.make_rng("dropout"), len(lengths)) if draws is None else draws
            inside = erode(person.astype(self.dtype), ERODED) > 0
            thresholds = (*(self.threshold for _ in RADII[1:]), COARSEST)
            within = [
                jnp.where(chosen[:, None, None, None, None], smooth(flow, inside, threshold), flow)
                for flow, threshold in zip(within, thresholds, strict=True)
            ]
        between = self._between(latents, person, lengths, train, valid)
        x = self._fuse(jnp.concatenate(within, -1), between, train, valid)
        parts = horizontal_pyramid(set_max(x, lengths), self.bins)
        embeddings, logits = head.embed_and_classify(
            parts, self.embedding, self.classes["identity"], self.dtype, train
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)

    def draw(self, key: jax.Array, rows: int) -> jax.Array:
        """Which rows of a batch are smoothed: bool [rows]."""
        return jax.random.permutation(key, rows) < round(self.smoothed * rows)

    def _within(
        self, latents: jax.Array, person: jax.Array, train: bool, valid: jax.Array
    ) -> list[jax.Array]:
        """A flow [N, T, H, W, 2] from each frame to itself for every radius."""
        flows = []
        for radius in RADII:
            pair = []
            for side in ("from", "to"):
                name = f"within{radius}_{side}"
                x = Encoder(self.encoder, self.dtype, name=name)(latents, person, train, valid)
                decoder = ConvBN(x.shape[-1], 3, self.dtype, name=f"{name}_decoder")
                pair.append(decoder(x, train, valid))
            flows.append(flow(pair[0], pair[1], radius))
        return flows

    def _between(
        self,
        latents: jax.Array,
        person: jax.Array,
        lengths: jax.Array,
        train: bool,
        valid: jax.Array,
    ) -> jax.Array:
        """The flow [N, T, H, W, 2] from each frame to the next, and from the last to itself."""
        following = jnp.minimum(jnp.arange(latents.shape[1]) + 1, lengths[:, None] - 1)
        pair = []
        for side in ("from", "to"):
            x, mask = latents, person
            if side == "to":
                rows = jnp.arange(len(lengths))[:, None]
                x, mask = latents[rows, following], person[rows, following]
            encoder = Encoder(self.encoder // 4, self.dtype, name=f"between_{side}")
            pair.append(encoder(x, mask, train, valid))
        return flow(pair[0], pair[1], self.radius)

    def _fuse(
        self, within: jax.Array, between: jax.Array, train: bool, valid: jax.Array
    ) -> jax.Array:
        """Both flows through three stages each, weighted at every pixel, and one more stage."""
        within = self._stages(within, "within", train, valid)
        between = self._stages(between, "between", train, valid)
        *_, channels, last = self.channels
        scores = PixelScores(2 * channels, channels // SQUEEZE, 1, self.dtype, name="fusion")
        x = scores(jnp.concatenate([within, between], -1), train, valid)
        weights = nn.softmax(x.reshape(*x.shape[:-1], channels, 2))  # of each channel in turn
        x = within * weights[..., 0] + between * weights[..., 1]
        for j in range(self.blocks[-1]):
            stride = 1 if j else self.strides[-1]
            x = resnet.BasicBlock(last, stride, self.dtype, name=f"layer4_{j}")(x, train, valid)
        return x

    def _stages(self, x: jax.Array, name: str, train: bool, valid: jax.Array) -> jax.Array:
        """All stages of a ResNet but the last."""
        settings = (self.channels[:-1], self.blocks[:-1], self.strides[:-1])
        y: jax.Array = resnet.ResNet(*settings, dtype=self.dtype, name=name)(x, train, valid)
        return y


class Encoder(nn.Module):
    """Features of every pixel of the person, in 0..1.

    Attributes:
        features: of the first two convolutions; the third has half, the last a quarter of them.
        dtype: of the activations.
    """

    features: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, person: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, H, W, C] to [N, T, H, W, features / 4]; 0 where no person is."""
        x = conv(self.features, 1, self.dtype, "conv1")(x)
        x = BatchNorm(self.dtype, name="bn1")(x, train, valid)
        for i, features in ((2, self.features), (3, self.features // 2)):
            x = conv(features, 3, self.dtype, f"conv{i}")(x)
            x = nn.relu(BatchNorm(self.dtype, name=f"bn{i}")(x, train, valid))
        x = conv(self.features // 4, 1, self.dtype, "conv4")(x)
        x = nn.sigmoid(BatchNorm(self.dtype, name="bn4")(x, train, valid))
        return jnp.where(person[..., None], x, 0)


def flow(source: jax.Array, target: jax.Array, radius: int) -> jax.Array:
    """Where the features of every pixel are found again, as the mean of a window around it.

    Places are weighted by the softmax of the scaled products of features, as in attention; those
    outside of the frame do not count.

    Args:
        source: [..., H, W, C].
        target: [..., H, W, C].
        radius: of the window, pixels.

    Returns:
        [..., H, W, 2], pixels to the right and down.
    """
    height, width, channels = source.shape[-3:]
    wide = jnp.promote_types(source.dtype, jnp.float32)
    around = [(radius, radius)] * 2
    exists = jnp.pad(jnp.ones((height, width), bool), around)
    padded = jnp.pad(target, [*[(0, 0)] * (target.ndim - 3), *around, (0, 0)])

    @jax.checkpoint  # or the gradient would keep a shifted copy of the target for every place
    def score(place: jax.Array) -> jax.Array:
        top, left = place
        moved = jax.lax.dynamic_slice_in_dim(padded, top, height, -3)
        moved = jax.lax.dynamic_slice_in_dim(moved, left, width, -2)
        product = jnp.sum(source * moved, -1, dtype=wide) / channels**0.5
        inside = jax.lax.dynamic_slice(exists, (top, left), (height, width))
        return jnp.where(inside, product, -jnp.inf)

    places = jnp.array(list(itertools.product(range(2 * radius + 1), repeat=2)))
    weights = nn.softmax(jax.lax.map(score, places), 0)  # one place after another
    moves = (places[:, ::-1] - radius).astype(wide)
    mean = jnp.einsum("k...,kd->...d", weights, moves, precision="highest")
    return mean.astype(source.dtype)


def smooth(flow: jax.Array, inside: jax.Array, threshold: float) -> jax.Array:
    """Leaves out long vectors inside of a silhouette, and their neighbours there.

    Args:
        flow: [..., H, W, 2].
        inside: bool [..., H, W].
        threshold: of the length, pixels.

    Returns:
        An array like flow.
    """
    long = inside & (jnp.sum(flow**2, -1) > threshold**2)
    near = dilate(long.astype(flow.dtype), 3) > 0
    return jnp.where((near & inside)[..., None], 0, flow)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone with a first pool, or BNNecks other than here.
    """
    theirs = backbone.from_opengait(model_cfg["backbone_cfg"])
    return {
        "channels": theirs["channels"],
        "blocks": theirs["blocks"],
        "strides": theirs["strides"],
        "radius": model_cfg["r"],
        "smoothed": model_cfg["p"],
        "threshold": model_cfg["threshold"],
        **head.from_opengait(model_cfg),
    }


def _rules(ours: str, theirs: str, decoder: str = "") -> list[tuple[str, str, str]]:
    """The rules of an Encoder, whose layers OpenGait numbers, ReLUs among them, and a decoder."""
    numbers = {"conv1": 0, "bn1": 1, "conv2": 2, "bn2": 3, "conv3": 5, "bn3": 6, "conv4": 8}
    return [
        (f"{ours}/{name}", f"{theirs}.forward_block.{i}", "batch_norm" if "bn" in name else "conv")
        for name, i in {**numbers, "bn4": 9}.items()
    ] + [
        (f"{ours}_decoder/conv", f"{decoder}.forward_block.0", "conv"),
        (f"{ours}_decoder/bn", f"{decoder}.forward_block.1", "batch_norm"),
    ]


OPENGAIT = [
    *[
        rule
        for ours, theirs in (("from", "0"), ("to", "1"))
        for radius, prefix in zip(RADII, ("AF", "AF2", "AF3"), strict=True)
        for rule in _rules(
            f"within{radius}_{ours}", f"{prefix}.encoder{theirs}", f"{prefix}.decoder{theirs}"
        )
    ],
    *_rules("between_from", "AppF.q_encoder"),
    *_rules("between_to", "AppF.k_encoder"),
    # OpenGait exchanges the names of the two: what it calls attention reads the flow in time.
    *[
        (f"{ours}/{name}", f"Backbone.{theirs}.forward_block.{key}", layout)
        for ours, theirs in (("within", "pre_noise"), ("between", "pre_attn"))
        for name, key, layout in resnet.OPENGAIT
    ],
    *[
        (f"fusion/{ours}", f"Backbone.fusion.conv.{theirs}", layout)
        for ours, theirs, layout in attention.OPENGAIT
    ],
    *[
        (ours, f"Backbone.post_backbone.forward_block.{theirs}", layout)
        for ours, theirs, layout in resnet.OPENGAIT
    ],
    *[(ours, f"Backbone.{theirs}", layout) for ours, theirs, layout in head.OPENGAIT],
]
