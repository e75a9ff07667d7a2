"""ResGCN: bottlenecks of graph convolutions over joints and convolutions over time.

Song et al., "Stronger, faster and more explainable: a graph convolutional baseline for
skeleton-based action recognition", ACM MM 2020; as GaitGraph (Teepe et al.) has it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax import skeletons
from gaitjax.errors import UserError
from gaitjax.models.layers import graph
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.padding import mean_of_valid, zero_padding
from gaitjax.skeletons import SKELETONS

HOPS = 3  # distances that have an adjacency matrix
USED = 3  # of these matrices, those that take part; the last one has parameters and no effect


def adjacency(edges: Sequence[tuple[int, int]]) -> np.ndarray:
    """What a ResGCN convolves a skeleton with: [HOPS + 1, V, V], float32.

    Args:
        edges: pairs of neighbouring joints.
    """
    return graph.by_distance(edges, HOPS).astype(np.float32)


def _bottleneck(
    x: jax.Array,
    convolve: Callable[[jax.Array, int], jax.Array],
    features: int,
    reduction: int,
    dtype: Any,
    train: bool,
    valid: jax.Array,
    stride: int = 1,
) -> jax.Array:
    """A residual block around a convolution of fewer channels, in the module that calls it.

    Args:
        x: [N, T, V, C].
        convolve: maps [N, T, V, C'] to as many channels as are named, and strides over time.
        features: channels of the result.
        reduction: of channels for the convolution.
        dtype: of the activations.
        train: whether BatchNorm uses, and keeps, this batch's statistics.
        valid: bool [N, T].
        stride: of the convolution.

    Returns:
        [N, ceil(T / stride), V, features].
    """

    def normalise(x: jax.Array, name: str, valid: jax.Array) -> jax.Array:
        return BatchNorm(dtype, name=name)(x, train, valid)

    left = valid[:, ::stride]
    y = conv(features // reduction, 1, dtype, "down", bias=True)(x)
    y = convolve(nn.relu(normalise(y, "down_bn", valid)), features // reduction)
    y = conv(features, 1, dtype, "up", bias=True)(nn.relu(normalise(y, "bn", left)))
    if stride > 1 or x.shape[-1] != features:
        x = conv(features, 1, dtype, "residual", (stride, 1), bias=True)(x)
        x = normalise(x, "residual_bn", left)
    return nn.relu(normalise(y, "up_bn", left) + x)


class Spatial(nn.Module):
    """A graph convolution, by itself or in a bottleneck.

    Attributes:
        features: channels of the result.
        reduction: of channels in the bottleneck; 0: there is none.
        dtype: of the activations.
    """

    features: int
    reduction: int
    dtype: Any

    @nn.compact
    def __call__(
        self, x: jax.Array, adjacency: jax.Array, train: bool, valid: jax.Array
    ) -> jax.Array:
        """Maps [N, T, V, C] to [N, T, V, features] with an adjacency [K, V, V]."""

        def convolve(y: jax.Array, features: int) -> jax.Array:
            return graph.partitioned_convolution(y, adjacency, features, self.dtype, "conv")

        if not self.reduction:
            y = convolve(x, self.features)
            return nn.relu(BatchNorm(self.dtype, name="bn")(y, train, valid))
        return _bottleneck(x, convolve, self.features, self.reduction, self.dtype, train, valid)


class Temporal(nn.Module):
    """A convolution of 9 frames, by itself or in a bottleneck; channels stay as many.

    Attributes:
        reduction: of channels in the bottleneck; 0: there is none.
        stride: over time.
        dtype: of the activations.
    """

    reduction: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps [N, T, V, C] to [N, ceil(T / stride), V, C]."""

        def convolve(y: jax.Array, features: int) -> jax.Array:
            over_time = conv(features, (9, 1), self.dtype, "conv", (self.stride, 1), bias=True)
            return over_time(zero_padding(y, valid))

        if not self.reduction:
            y = convolve(x, x.shape[-1])
            return nn.relu(BatchNorm(self.dtype, name="bn")(y, train, valid))
        return _bottleneck(
            x, convolve, x.shape[-1], self.reduction, self.dtype, train, valid, self.stride
        )


class Layer(nn.Module):
    """Over the joints, then over time; every edge has an importance that is learnt.

    Attributes:
        features: channels of the result.
        reduction: of channels in bottlenecks; 0: there are none.
        stride: over time.
        dtype: of the activations.
    """

    features: int
    reduction: int
    stride: int
    dtype: Any

    @nn.compact
    def __call__(
        self, x: jax.Array, adjacency: np.ndarray, train: bool, valid: jax.Array
    ) -> jax.Array:
        """Maps [N, T, V, C] to [N, ceil(T / stride), V, features]; adjacency [HOPS + 1, V, V]."""
        wide = jnp.promote_types(self.dtype, jnp.float32)
        edge = self.param("edge", nn.initializers.ones, adjacency.shape, wide)
        weighted = (edge * adjacency)[:USED]
        over_joints = Spatial(self.features, self.reduction, self.dtype, name="spatial")
        over_time = Temporal(self.reduction, self.stride, self.dtype, name="temporal")
        return over_time(over_joints(x, weighted, train, valid), train, valid)


class Branch(nn.Module):
    """The layers that see one stream of a pose; the first has neither bottleneck nor residual.

    Attributes:
        channels: of each layer.
        reduction: of channels in bottlenecks.
        dtype: of the activations.
    """

    channels: tuple[int, ...]
    reduction: int
    dtype: Any

    @nn.compact
    def __call__(
        self, x: jax.Array, adjacency: np.ndarray, train: bool, valid: jax.Array
    ) -> jax.Array:
        """Maps [N, T, V, C] to [N, T, V, channels[-1]]."""
        x = BatchNorm(self.dtype, name="bn")(x, train, valid)
        for i, features in enumerate(self.channels):
            layer = Layer(features, self.reduction if i else 0, 1, self.dtype, name=f"layer{i}")
            x = layer(x, adjacency, train, valid)
        return x


class ResGCN(nn.Module):
    """A branch for every stream of a pose, and layers that see all of them.

    Attributes:
        branch: channels of each layer of a branch.
        channels: of each layer that sees all; those of the first, and of any with other channels
            than the one before, halve time.
        reduction: of channels in bottlenecks.
        features: channels of the result.
        dtype: of the activations.
    """

    branch: tuple[int, ...]
    channels: tuple[int, ...]
    reduction: int
    features: int
    dtype: Any

    @nn.compact
    def __call__(
        self, x: jax.Array, adjacency: np.ndarray, train: bool, valid: jax.Array
    ) -> jax.Array:
        """Embeds sequences of poses.

        Args:
            x: [N, T, V, S, C], poses in S streams.
            adjacency: [HOPS + 1, V, V].
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            valid: bool [N, T], the frames that count.

        Returns:
            [N, features], in float32 or above.
        """
        branches = [
            Branch(self.branch, self.reduction, self.dtype, name=f"branch{i}")(
                x[..., i, :], adjacency, train, valid
            )
            for i in range(x.shape[3])
        ]
        x = jnp.concatenate(branches, -1)
        before = 0
        for i, features in enumerate(self.channels):
            stride = 1 if features == before else 2
            layer = Layer(features, self.reduction, stride, self.dtype, name=f"layer{i}")
            x = layer(x, adjacency, train, valid)
            valid, before = valid[:, ::stride], features
        wide = jnp.promote_types(self.dtype, jnp.float32)
        x = mean_of_valid(x.astype(wide), valid).mean(1)
        return nn.Dense(
            self.features,
            kernel_init=nn.initializers.xavier_uniform(),
            dtype=wide,
            param_dtype=wide,
            name="fc",
        )(x)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a network around a ResGCN that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for blocks or joints other than here.
    """
    if model_cfg["block"] != "Bottleneck":
        raise UserError(f"model_cfg.block is {model_cfg['block']!r}; expected 'Bottleneck'")
    return {
        "skeleton": skeletons.from_opengait(model_cfg["joint_format"]),
        "branch": tuple(model_cfg["input_branch"][1:]),
        "channels": tuple(model_cfg["main_stream"][1:]),
        "reduction": model_cfg["reduction"],
        "embedding": model_cfg["num_class"],
        "augmented": model_cfg["tta"],
    }


def _derived(edge: tuple[int, ...]) -> np.ndarray:
    """The adjacency that belongs to the importances of its edges, of such a shape."""
    joints = edge[-1]
    return next(adjacency(s.edges) for s in SKELETONS.values() if len(s.parents) == joints)


_LAYER = [
    ("edge", "edge", "as_is"),
    ("spatial/conv", "scn.conv.gcn", "conv"),
    ("temporal/conv", "tcn.conv", "conv"),
    *[
        (f"{ours}/{part}", f"{theirs}.{name}", layout)
        for ours, theirs in (("spatial", "scn"), ("temporal", "tcn"))
        for part, name, layout in (
            ("down", "conv_down", "conv"),
            ("down_bn", "bn_down", "batch_norm"),
            ("bn", "bn", "batch_norm"),
            ("up", "conv_up", "conv"),
            ("up_bn", "bn_up", "batch_norm"),
            ("residual", "residual.0", "conv"),
            ("residual_bn", "residual.1", "batch_norm"),
        )
    ],
]
_BRANCH = [(f"branch{{i}}/layer{{j}}/{o}", f"head.{{i}}.layers.{{j}}.{t}", y) for o, t, y in _LAYER]
_SHARED = [(f"layer{{j}}/{o}", f"backbone.{{j}}.{t}", y) for o, t, y in _LAYER]
OPENGAIT = [
    (f"resgcn/{ours}", f"ResGCN.{theirs}", layout)
    for ours, theirs, layout in (
        ("branch{i}/layer0/edge", "head.{i}.A", _derived),
        ("branch{i}/bn", "head.{i}.bn", "batch_norm"),
        ("fc", "fcn", "linear"),
        *_BRANCH,
        *_SHARED,
    )
]
