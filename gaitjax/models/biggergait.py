"""BiggerGait: gait from the maps of all depths of a large vision model (Ye et al., NeurIPS 2025).

DINOv2 looks at colour images and is not trained, nor is BigGait's branch that finds the person in
its last maps. A small projection of the maps of every depth is recognised as silhouettes are, by
a GaitBase each; or those of several depths together, and several by the same GaitBase.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import flax.core
import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output, gaitbase
from gaitjax.models.biggait import EXAMPLE, PRETRAINED
from gaitjax.models.layers import backbone, dinov2, distillation, head, resnet
from gaitjax.models.layers import vision as sight
from gaitjax.models.layers.backbone import RESNET9
from gaitjax.models.layers.distillation import Distillation
from gaitjax.models.layers.padding import valid_frames

__all__ = ["EXAMPLE", "OPENGAIT", "PRETRAINED", "Model", "copies", "from_opengait", "frozen"]

VISION: Mapping[str, Any] = dinov2.SIZES["small"]
BACKBONE: Mapping[str, Any] = flax.core.FrozenDict({**RESNET9, "strides": (1, 2, 1, 1)})


class Model(nn.Module):
    """BiggerGait.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        vision: the fields of DINOv2, which is not trained.
        image: width of what DINOv2 reads, pixels; it is twice as high.
        width: of the maps; they are twice as high.
        group: blocks of DINOv2 whose maps are projected together.
        features: channels of a projection.
        networks: how many GaitBases there are; neighbouring groups share one.
        fixed_mask: whether the branch that finds the person keeps its statistics, in training too.
        backbone: 'type' (resnet or plain), and the fields of that backbone.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    vision: Mapping[str, Any] = VISION
    image: int = 224
    width: int = 32
    group: int = 1
    features: int = 16
    networks: int = 12
    # OpenGait freezes the branch's parameters alone. Its statistics have to move: those of BigGait
    # are of maps that DINOv2's last norm has scaled, and what is read here is not scaled.
    fixed_mask: bool = False
    backbone: Mapping[str, Any] = BACKBONE
    embedding: int = 256
    bins: tuple[int, ...] = (32,)
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'rgb' [N, T, H, W, 3], normalised, see `vision.person_frames`; 'ratio' [N, T],
                width / height of the box that each frame was cut from, where that needs it.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, groups * sum(bins), embedding] before the BNNecks, group by group.

        Raises:
            UserError: for groups that do not come out even; as `vision.person_frames` does.
        """
        joined, last = self._see(sight.person_frames(inputs, self.dtype))
        valid = valid_frames(lengths, last.shape[1])
        person = self._find(last, valid, train)
        networks = self._networks()
        found = []
        for i, maps in enumerate(jnp.split(joined, len(networks), -1)):
            x = jnp.where(person[..., None], self._project(maps, f"project{i}", valid, train), 0)
            found.append(networks[i]({"maps": x}, lengths, train=train).terms)
        terms = jax.tree.map(lambda *parts: jnp.concatenate(parts, 1), *found)
        return Output(terms["triplet"]["embeddings"], terms=terms, images={"foreground": person})

    def _networks(self) -> list[gaitbase.Model]:
        """The one of every group."""
        blocks, product = self.vision["blocks"], self.group * self.networks
        if product < 1 or blocks % product:
            raise UserError(
                f"config.model.group is {self.group} and config.model.networks {self.networks}; "
                f"expected numbers whose product divides the {blocks} blocks of config.model.vision"
            )
        networks = [
            gaitbase.Model(
                classes=self.classes,
                modality="maps",
                backbone=self.backbone,
                embedding=self.embedding,
                bins=self.bins,
                dtype=self.dtype,
                name=f"network{i}",
            )
            for i in range(self.networks)
        ]
        return [network for network in networks for _ in range(blocks // product)]

    def _see(self, rgb: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The maps of all blocks joined, and those of the last one, each normalised by pixel."""

        def read(vision: dinov2.DINOv2, images: jax.Array) -> tuple[jax.Array, jax.Array]:
            states, _ = vision(images)
            joined = sight.normalise(jnp.concatenate(states, -1))
            return sight.grid(joined, vision), sight.grid(sight.normalise(states[-1]), vision)

        vision = dinov2.DINOv2(**self.vision, dtype=self.dtype, name="vision")
        joined, last = sight.read_frames(read, vision, rgb, self.image)
        return joined, last

    def _find(self, last: jax.Array, valid: jax.Array, train: bool) -> jax.Array:
        """Where the person is: bool [N, T, 2 * width, width]."""
        branch = Distillation(2, 0, True, True, 0.0, self.dtype, name="mask")
        shares, _ = branch(last, train and not self.fixed_mask, valid)
        person = (shares[..., 1:] > 0.5).astype(self.dtype)
        return sight.resize(person, self.width)[..., 0] > 0.5

    def _project(self, maps: jax.Array, name: str, valid: jax.Array, train: bool) -> jax.Array:
        hidden = self.vision["width"] // 2
        project = Distillation(
            self.features, hidden, False, False, 0.0, self.dtype, self.width, name=name
        )
        return project(maps, train, valid)[0]


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a ResNet9 or BNNecks other than here.
    """
    width = model_cfg["source_dim"]
    return {
        "vision": {"width": width, "blocks": model_cfg["total_layer_num"], "heads": width // 64},
        "image": model_cfg["image_size"],
        "width": model_cfg["sils_size"],
        "group": model_cfg["group_layer_num"],
        "features": model_cfg["num_unknown"],
        "networks": model_cfg["head_num"],
        "backbone": backbone.from_opengait(model_cfg["backbone_cfg"]),
        **head.from_opengait(model_cfg),
    }


def frozen(model_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """Patterns of the parameters that OpenGait does not train."""
    return ("vision/*", "mask/*")


def copies(names: Iterable[str]) -> dict[str, str]:
    """OpenGait's name of every entry that stands in its state_dict once more -> the first one's.

    It lists the networks that there are, and then again the one of every group.
    """
    split = [name.split(".", 3) for name in names]
    groups = {number for part, number, *_ in split if part == "HumanSpace_Conv"}
    entries = [rest for part, *rest in split if part == "Gait_Net" and rest[0] == "real_gait"]
    shared = len(groups) // max(1, len({number for _, number, _ in entries}))
    return {
        f"Gait_Net.Gait_List.{i}.{rest}": f"Gait_Net.real_gait.{number}.{rest}"
        for _, number, rest in entries
        for i in range(int(number) * shared, (int(number) + 1) * shared)
    }


_NETWORK = [
    *[
        (
            f"backbone/{name.replace('{i}', i)}",
            f"{part}.forward_block.{key.replace('{i}', i)}",
            layout,
        )
        for part, i in (("pre_rgb", "1"), ("post_backbone", "{i}"))  # the first stage; the others
        for name, key, layout in resnet.OPENGAIT
    ],
    *head.OPENGAIT,
]
OPENGAIT = [
    *[(f"vision/{name}", f"Backbone.{key}", layout) for name, key, layout in dinov2.HUGGING_FACE],
    *[
        (f"mask/{name}", f"Mask_Branch.{key}", layout)
        for name, key, layout in distillation.OPENGAIT
    ],
    *[
        (f"project{{n}}/{name}", f"HumanSpace_Conv.{{n}}.{key}", layout)
        for name, key, layout in distillation.OPENGAIT_SEQUENTIAL
    ],
    *[
        (f"network{{n}}/{name}", f"Gait_Net.real_gait.{{n}}.{key}", layout)
        for name, key, layout in _NETWORK
    ],
]
