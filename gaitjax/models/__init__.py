"""One file a network, each exporting `Model`; what several share lies in `layers/`."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax import lookup
from gaitjax.errors import UserError


@flax.struct.dataclass
class Output:
    """What every network returns.

    Attributes:
        embeddings: [N, P, C] float32, P parts of C channels, or None.
        predictions: name -> array, for protocols other than retrieval.
        terms: loss term -> the arguments that the network supplies to its loss.
        images: name -> array, what TensorBoard shows.
    """

    embeddings: jax.Array | None
    predictions: dict[str, jax.Array] = dataclasses.field(default_factory=dict)
    terms: dict[str, dict[str, jax.Array]] = dataclasses.field(default_factory=dict)
    images: dict[str, jax.Array] = dataclasses.field(default_factory=dict)


def build(
    network: str, options: Mapping[str, Any], classes: Mapping[str, int], dtype: str
) -> nn.Module:
    """The network of `gaitjax/models/<network>.py`, or of a user's dotted path.

    Args:
        network: the file's name, such as `gaitset`.
        options: the fields of its `Model`.
        classes: label -> number of classes in the training split.
        dtype: 'float32', 'bfloat16' or 'float64', what activations are computed in; parameters and
            statistics are never below float32.

    Raises:
        UserError: for an unknown network, option or dtype.
    """
    model = lookup.module("gaitjax.models", network).Model
    fields = {f for f in model.__dataclass_fields__ if f not in ("parent", "name")}
    unknown = sorted(set(options) - fields)
    if unknown:
        known = ", ".join(sorted(fields - {"classes", "dtype"}))
        raise UserError(f"network {network!r} has no option {', '.join(unknown)}; it has {known}")
    if dtype not in ("float32", "bfloat16", "float64"):
        raise UserError(f"config.dtype is {dtype!r}; expected float32, bfloat16 or float64")
    built = model(**options, classes=flax.core.FrozenDict(classes), dtype=jnp.dtype(dtype))
    assert isinstance(built, nn.Module)
    return built
