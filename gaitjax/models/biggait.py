"""BigGait: gait from the maps of a large vision model (Ye et al., CVPR 2024).

DINOv2 looks at colour images and is not trained. One branch finds the person in its maps. Within
the person a second one, kept smooth and diverse, finds parts, and a third one what else appearance
tells. The two together are recognised as silhouettes are.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax.core
import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.models.layers import attention, dinov2, distillation, head, resnet
from gaitjax.models.layers import vision as sight
from gaitjax.models.layers.align import dilate, erode
from gaitjax.models.layers.attention import PixelScores
from gaitjax.models.layers.backbone import RESNET9
from gaitjax.models.layers.distillation import Distillation
from gaitjax.models.layers.frames import pick
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max
from gaitjax.models.layers.resnet import ResNet

EXAMPLE = {"rgb": (128, 64, 3), "ratio": ()}  # the shape of one frame, by modality
VISION: Mapping[str, Any] = flax.core.FrozenDict({**dinov2.SIZES["small"], "offset": 0.1})
SQUEEZE = 16  # the attention has so many times fewer channels than what it weighs
EDGE = 5  # rows at either end of a frame that a person does not fill
BLANK = {"parts": 1, "appearance": 2}


class Model(nn.Module):
    """BigGait.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        vision: the fields of DINOv2, which is not trained.
        image: width of what DINOv2 reads, pixels; it is twice as high.
        width: of the maps; they are twice as high.
        features: channels of either branch.
        fixed_mask: whether the branch that finds the person stays as it is, in training too.
        backbone: 'channels', 'blocks' and 'strides' of a ResNet, whose first stage each branch has
            for itself.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        dropout: share of the channels that are hidden from the branch that finds the person.
        blank: share of the sequences in training that are without one of the two branches.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    vision: Mapping[str, Any] = VISION
    image: int = 224
    width: int = 32
    features: int = 16
    fixed_mask: bool = False
    backbone: Mapping[str, Any] = RESNET9
    embedding: int = 256
    bins: tuple[int, ...] = (16,)
    dropout: float = 0.5
    blank: float = 0.2
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'rgb' [N, T, H, W, 3], normalised, see `vision.person_frames`; 'ratio' [N, T],
                width / height of the box that each frame was cut from.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics, and dropout acts.
            draws: 'blank' [N], which branch each sequence is without: 0 none, 1 parts, 2
                appearance.

        Returns:
            embeddings [N, sum(bins), embedding] before the BNNecks.
        """
        ratio = pick(inputs, "ratio", jnp.float32)
        last, mixed = self._see(sight.person_frames(inputs, self.dtype))
        valid = valid_frames(lengths, last.shape[1])
        foreground, terms = self._find(last, ratio, valid, train)
        inside = (foreground > 0) & valid[..., None, None]
        parts, appearance = self._describe(mixed, inside, train)
        terms["part_connect"] = roughness(parts[..., :-1], valid)
        terms["part_diversity"] = unevenness(parts, valid)
        if train and draws is None and self.blank:
            draws = {"blank": self._draw(self.make_rng("dropout"), len(lengths))}
        if draws is not None:
            blank = draws["blank"][:, None, None, None, None]
            parts = jnp.where(blank == BLANK["parts"], 0, parts)
            appearance = jnp.where(blank == BLANK["appearance"], 0, appearance)
        output = self._recognise(parts, appearance, lengths, valid, train)
        smooth = {term: {"values": x} for term, x in terms.items()}
        images = {"foreground": foreground}
        return dataclasses.replace(output, terms={**output.terms, **smooth}, images=images)

    def _see(self, rgb: jax.Array) -> tuple[jax.Array, jax.Array]:
        """DINOv2's last maps, and those of four depths joined: [N, T, 2 * width, width, C]."""

        def read(vision: dinov2.DINOv2, images: jax.Array) -> tuple[jax.Array, jax.Array]:
            states, last = vision(images)
            four = [states[len(states) * i // 4 - 1] for i in (1, 2, 3, 4)]
            joined = sight.normalise(jnp.concatenate(four, -1))
            return sight.grid(last, vision), sight.grid(joined, vision)

        vision = dinov2.DINOv2(**self.vision, dtype=self.dtype, name="vision")
        last, joined = sight.read_frames(read, vision, rgb, self.image)
        return sight.resize(last, self.width), sight.resize(joined, self.width)

    def _find(
        self, last: jax.Array, ratio: jax.Array, valid: jax.Array, train: bool
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        """The person [N, T, H, W] in 0..1, and terms that teach where it is."""
        find = Distillation(2, 0, True, True, self.dropout, self.dtype, name="mask")
        box = sight.inside_box(ratio, *last.shape[2:4]) & valid[..., None, None]
        shares, restored = find(last, train and not self.fixed_mask, box)
        assert restored is not None
        wide = jnp.promote_types(self.dtype, jnp.float32)
        shares = jnp.where(box[..., None], shares.astype(wide), 0)
        errors = jnp.mean((restored - last).astype(wide) ** 2, -1)
        error = jnp.sum(jnp.where(box, errors, 0)) / jnp.maximum(box.sum(), 1)
        # OpenGait takes the memory of [H, W, 2] for [2, H, W] here, and so smooths other pixels.
        turned = jnp.moveaxis(shares.reshape(*shares.shape[:2], 2, *shares.shape[2:4]), 2, -1)
        terms = {"shape_connect": roughness(turned, valid), "shape_mse": error}
        return closed(body(jax.lax.stop_gradient(shares))), terms

    def _describe(
        self, mixed: jax.Array, inside: jax.Array, train: bool
    ) -> tuple[jax.Array, jax.Array]:
        """What either branch says of the person's pixels: [N, T, H, W, features], 0 elsewhere."""
        hidden = mixed.shape[-1] // 2
        parts = Distillation(self.features, hidden, True, False, 0.0, self.dtype, name="parts")
        other = Distillation(self.features, 0, False, False, 0.0, self.dtype, name="appearance")
        wide = jnp.promote_types(self.dtype, jnp.float32)
        first, second = (
            jnp.where(inside[..., None], branch(mixed, train, inside)[0].astype(wide), 0)
            for branch in (parts, other)
        )
        return first, second

    def _recognise(
        self,
        parts: jax.Array,
        appearance: jax.Array,
        lengths: jax.Array,
        valid: jax.Array,
        train: bool,
    ) -> Output:
        """GaitBase, with a first stage for either branch; attention weighs the two."""
        stem = {field: x[:1] for field, x in self.backbone.items() if field != "type"}
        trunk = {field: x[1:] for field, x in self.backbone.items() if field != "type"}
        x, y = (
            ResNet(**stem, dtype=self.dtype, name=name)(maps.astype(self.dtype), train, valid)
            for name, maps in (("parts_stem", parts), ("appearance_stem", appearance))
        )
        channels = x.shape[-1]
        score = PixelScores(2 * channels, channels // SQUEEZE, 3, self.dtype, name="fusion")
        scores = score(jnp.concatenate([x, y], -1), train, valid)
        weights = nn.softmax(scores.reshape(*x.shape, 2))
        x = x * weights[..., 0] + y * weights[..., 1]
        x = ResNet(**trunk, dtype=self.dtype, first=2, name="trunk")(x, train, valid)
        pooled = horizontal_pyramid(set_max(x, lengths), self.bins)
        embeddings, logits = head.embed_and_classify(
            pooled, self.embedding, self.classes["identity"], self.dtype, train
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)

    def _draw(self, key: jax.Array, rows: int) -> jax.Array:
        """Which branch each sequence is without, see `draws`: round(blank * rows) lack one."""
        order, choice = jax.random.split(key)
        chosen = jax.random.permutation(order, rows) < round(self.blank * rows)
        return jnp.where(chosen, jax.random.randint(choice, (rows,), 1, 3), 0)


def roughness(maps: jax.Array, valid: jax.Array) -> jax.Array:
    """How much maps change from pixel to pixel: what Sobel's filters see of the sum of channels.

    Args:
        maps: [N, T, H, W, C].
        valid: bool [N, T], the frames that count.

    Returns:
        The absolute values of both directions, summed up by frame, over H * W * C; the mean.
    """
    _, _, height, width, channels = maps.shape
    x = jnp.pad(maps.sum(-1), ((0, 0), (0, 0), (1, 1), (1, 1)))
    across = x[..., :-2] - x[..., 2:]
    down = x[..., :-2, :] - x[..., 2:, :]
    across = across[..., :-2, :] + 2 * across[..., 1:-1, :] + across[..., 2:, :]
    down = down[..., :-2] + 2 * down[..., 1:-1] + down[..., 2:]
    each = jnp.sum(abs(across) + abs(down), (2, 3)) / (height * width * channels)
    return jnp.mean(each, where=valid)


def unevenness(maps: jax.Array, valid: jax.Array) -> jax.Array:
    """How far channels are from all having the same mass, in bits; arguments as of `roughness`."""
    mass = maps.sum((2, 3))
    share = mass / (mass.sum(-1, keepdims=True) + 1e-6)
    entropy = -jnp.sum(share * jnp.log2(share + 1e-6), -1)
    return jnp.mean(jnp.log2(maps.shape[-1]) - entropy, where=valid)


def body(shares: jax.Array) -> jax.Array:
    """Which of two shares [..., H, W, 2] is the person: the one that keeps off the frame's ends."""
    first = jnp.round(shares[..., 0])
    ends = first[..., :EDGE, :].sum((-2, -1)) + first[..., -EDGE:, :].sum((-2, -1))
    turned = ends > EDGE * first.shape[-1]
    return jnp.where(turned[..., None, None], shares[..., 1], shares[..., 0])


def closed(x: jax.Array) -> jax.Array:
    """Fills holes of a person [..., H, W] with 1; its edge stays as it is, around it is 0."""
    wider = dilate(jnp.round(x), 3)
    inner = erode(wider, 5) > 0.5
    return jnp.where(inner, 1, jnp.where(wider > 0.5, x, 0))


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for branches of other layers than here.
    """
    kinds = {"Mask": (True, False, True), "Denoising": (True, True, False)}
    for name, expected in {**kinds, "Appearance": (False, False, False)}.items():
        branch = model_cfg[f"{name}_Branch"]
        found = tuple(branch[field] for field in ("softmax", "Relu", "Up"))
        if found != expected:
            raise UserError(
                f"model_cfg.{name}_Branch has softmax, Relu, Up {found}; expected {expected}"
            )
    theirs = model_cfg["backbone_cfg"]
    return {
        "image": model_cfg["image_size"],
        "width": model_cfg["sils_size"],
        "features": model_cfg["Appearance_Branch"]["target_dim"],
        "backbone": {
            "channels": tuple(theirs["channels"]),
            "blocks": tuple(theirs["layers"]),
            "strides": tuple(theirs["strides"]),
        },
        "dropout": model_cfg["Mask_Branch"]["p"],
        **head.from_opengait(model_cfg),
    }


def frozen(model_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Patterns of the parameters that OpenGait does not train."""
    return ("vision/*",)


# what weights that others publish are of: our part -> rules of the file's names
PRETRAINED = [
    ("vision", dinov2.META),
    ("vision", dinov2.HUGGING_FACE),
    ("mask", distillation.OPENGAIT),
]
OPENGAIT = [
    *[
        (f"{ours}/{name}", f"{theirs}.{key}", layout)
        for ours, theirs, rules in (
            ("vision", "backbone", dinov2.META),
            ("mask", "Mask_Branch", distillation.OPENGAIT),
            ("parts", "Denoising_Branch", distillation.OPENGAIT_DEEP),
            ("appearance", "Appearance_Branch", distillation.OPENGAIT),
            ("parts_stem", "gait_net.pre_part.forward_block", resnet.OPENGAIT),
            ("appearance_stem", "gait_net.pre_rgb.forward_block", resnet.OPENGAIT),
            ("fusion", "gait_net.fusion.conv", attention.OPENGAIT),
            ("trunk", "gait_net.post_backbone.forward_block", resnet.OPENGAIT),
        )
        for name, key, layout in rules
    ],
    *[(name, f"gait_net.{key}", layout) for name, key, layout in head.OPENGAIT],
]
