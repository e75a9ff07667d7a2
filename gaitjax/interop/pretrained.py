"""Weights of a part of a network, as others publish them: DINOv2's, or OpenGait's mask branch.

A network states in `PRETRAINED` which of its parts such files fill, and by which rules.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from flax import traverse_util

from gaitjax import lookup
from gaitjax.errors import UserError
from gaitjax.interop import files, opengait


class Weights:
    """What a file holds for a part of a network.

    Args:
        path: a .pt, .pth or .safetensors.
        network: a file of `gaitjax/models`, or a dotted path.
        variables: of the network, or their shapes.

    Raises:
        UserError: if the network has no such parts, or the file does not fit any, entry by entry.
    """

    def __init__(self, path: Path, network: str, variables: Mapping[str, Any]) -> None:
        self.title, self.network = str(path), network
        parts = getattr(lookup.module("gaitjax.models", network), "PRETRAINED", ())
        if not parts:
            raise UserError(f"network {network!r} has no part that {path} could fill")
        state_dict, _ = files.read(path)
        choices = [(part, rules, _of(variables, part)) for part, rules in parts]
        known = [len(opengait.names(*choice[1:]) & state_dict.keys()) for choice in choices]
        if not any(known):
            raise UserError(
                f"{path} has nothing of {network}'s {' or '.join(sorted(dict(parts)))}; expected "
                "the weights of one of them. What OpenGait saves of a whole network can stand here "
                "once python -m gaitjax.convert has made a run of it"
            )
        part, rules, template = choices[known.index(max(known))]
        try:
            found = opengait.read_by(rules, template, state_dict, f"{network}'s {part}")
        except UserError as error:
            raise UserError(f"{path}: {error}, by config.model.vision") from error
        self._arrays: dict[tuple[str, ...], np.ndarray] = {
            (path[0], part, *path[1:]): x for path, x in traverse_util.flatten_dict(found).items()
        }

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of what there is, by paths such as 'params/vision/norm/scale'."""
        return {"/".join(path): x.shape for path, x in self._arrays.items()}

    def variables(self, like: dict[str, Any]) -> dict[str, Any]:
        """Those that `like` has, placed as it says."""
        placed = {
            path: jax.device_put(self._arrays[path].astype(x.dtype), x.sharding)
            for path, x in traverse_util.flatten_dict(like).items()
        }
        tree: dict[str, Any] = traverse_util.unflatten_dict(placed)
        return tree


def _of(variables: Mapping[str, Any], part: str) -> dict[tuple[str, ...], Any]:
    """Path within a part of a network -> shape and type."""
    return {
        (path[0], *path[2:]): x
        for path, x in traverse_util.flatten_dict(variables).items()
        if path[1] == part
    }
