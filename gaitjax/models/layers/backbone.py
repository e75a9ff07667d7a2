"""The backbones that the field `backbone` of a network chooses from; both go frame by frame."""

from collections.abc import Mapping
from typing import Any

import flax
import flax.linen as nn

from gaitjax.errors import UserError
from gaitjax.models.layers import plain, resnet

RESNET9: Mapping[str, Any] = flax.core.FrozenDict(
    {
        "type": "resnet",
        "channels": (64, 128, 256, 512),
        "blocks": (1, 1, 1, 1),
        "strides": (1, 2, 2, 1),
    }
)
TYPES: Mapping[str, type[nn.Module]] = {"resnet": resnet.ResNet, "plain": plain.Plain}


def build(backbone: Mapping[str, Any], dtype: Any) -> nn.Module:
    """The module `backbone` of the module that calls it.

    Args:
        backbone: 'type' (resnet or plain), and the fields of that backbone.
        dtype: of the activations.

    Raises:
        UserError: for another type.
    """
    options = dict(backbone)
    kind = options.pop("type")
    if kind not in TYPES:
        raise UserError(
            f"config.model.backbone.type is {kind!r}; expected {' or '.join(sorted(TYPES))}"
        )
    module: nn.Module = TYPES[kind](**options, dtype=dtype, name="backbone")
    return module


def from_opengait(theirs: Mapping[str, Any]) -> dict[str, Any]:
    """The field `backbone` that OpenGait's `backbone_cfg` asks for.

    Raises:
        UserError: for a ResNet9 with a first pool.
    """
    if theirs["type"] == "Plain":
        return {"type": "plain", "layers": tuple(theirs["layers_cfg"])}
    if theirs.get("maxpool", True):  # OpenGait's default, which none of its configs leaves
        raise UserError("model_cfg.backbone_cfg.maxpool is true; expected maxpool: false")
    return {
        "type": "resnet",
        "channels": tuple(theirs["channels"]),
        "blocks": tuple(theirs["layers"]),
        "strides": tuple(theirs["strides"]),
    }


OPENGAIT = [
    (f"backbone/{ours}", f"Backbone.forward_block.{theirs}", layout)
    for ours, theirs, layout in plain.OPENGAIT + resnet.OPENGAIT
]
