"""What a new run takes of the checkpoints of others, and of weights that others publish."""

import dataclasses
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import jax
from flax import traverse_util

from gaitjax.errors import UserError
from gaitjax.interop import files
from gaitjax.interop.pretrained import Weights
from gaitjax.training import parameters
from gaitjax.training.checkpoint import Found


@dataclasses.dataclass(frozen=True)
class Transfer:
    """What is taken of one checkpoint.

    Attributes:
        found: the checkpoint, or a file of weights.
        paths: of the arrays that are taken, such as 'params/head/kernel'.
        lines: how many they are, what of the network is left as it was, what of the checkpoint
            is not needed.
    """

    found: Found | Weights
    paths: frozenset[str]
    lines: tuple[str, ...]


def plan(network: str, variables: Mapping[str, Any], path: Path) -> Transfer:
    """Finds what of a checkpoint fits to a network, by name and shape; reads no array of it.

    Args:
        network: a file of `gaitjax/models`, or a dotted path.
        variables: of the network, or their shapes.
        path: a run's folder, whose latest checkpoint is taken, or one checkpoint; or a file of
            weights, all of which must fit to a part of the network.

    Raises:
        UserError: if there is no checkpoint, or nothing fits.
    """
    is_file = path.suffix in (*files.SUFFIXES, *files.TORCH)
    found = Weights(path, network, variables) if is_file else Found(path)
    theirs = found.shapes()
    ours = {name: x.shape for name, x in _flat(variables).items()}
    taken = frozenset(name for name in ours if theirs.get(name) == ours[name])
    if not taken:
        raise UserError(
            f"config.train.init_from: nothing in {path} fits to this network, neither by name nor "
            f"by shape; it is a checkpoint of {found.network!r}"
        )
    reshaped = [
        f"{name} is {list(theirs[name])} there, {list(ours[name])} here"
        for name in sorted(ours.keys() & theirs.keys() - taken)
    ]
    lines = (
        f"{len(taken)} of {len(ours)} arrays are those of {found.title}",
        f"left as they were here: {_summary(ours.keys() - taken, ours)}",
        f"not needed from there: {_summary(theirs.keys() - taken, theirs)}",
        *reshaped,
    )
    return Transfer(found, taken, lines)


def take(variables: Mapping[str, Any], transfer: Transfer) -> dict[str, Any]:
    """The variables of a network, with those that a plan takes read from its checkpoint."""
    flat = _flat(variables)
    wanted = traverse_util.unflatten_dict({p: flat[p] for p in transfer.paths}, sep="/")
    like = jax.tree.map(
        lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=x.sharding), wanted
    )
    return parameters.merge(variables, transfer.found.variables(like))


def _flat(tree: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = traverse_util.flatten_dict(tree, sep="/")
    return flat


def _summary(some: Collection[str], among: Collection[str]) -> str:
    """Names some of the paths, those that a whole subtree has in common by its root."""
    others = set(among) - set(some)
    roots = set()
    for path in some:
        parts = path.split("/")
        prefixes = ["/".join(parts[: i + 1]) for i in range(len(parts))]
        roots.add(next(p for p in prefixes if not any(f"{o}/".startswith(f"{p}/") for o in others)))
    return ", ".join(sorted(roots)) or "nothing"
