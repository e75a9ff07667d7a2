"""Graph convolution over the parts of a body."""

import math
from collections.abc import Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv


def normalised_adjacency(neighbours: dict[int, tuple[int, ...]]) -> np.ndarray:
    """D^-1/2 A D^-1/2 of a graph in which every node is its own neighbour too.

    A has a 1 where a row's node names a column's, D the number of ones of every row (Kipf &
    Welling, ICLR 2017, equation 2).

    Args:
        neighbours: node -> those it takes from; the nodes are the keys, in their order.

    Returns:
        [K, K], float64.
    """
    nodes = list(neighbours)
    adjacency = np.array([[k in (node, *neighbours[node]) for k in nodes] for node in nodes], float)
    scale = np.diag(adjacency.sum(1) ** -0.5)
    result: np.ndarray = scale @ adjacency @ scale
    return result


def hop_distances(edges: Sequence[tuple[int, int]]) -> np.ndarray:
    """Edges on the shortest way between any two of the nodes 0 to V - 1: float [V, V]."""
    nodes = np.max(edges) + 1
    adjacency = np.eye(nodes, dtype=int)
    adjacency[tuple(np.transpose(edges))] = 1
    adjacency = adjacency | adjacency.T
    reached = [np.linalg.matrix_power(adjacency, hops) > 0 for hops in range(nodes)]
    return np.where(reached[-1], np.sum(np.logical_not(reached), 0), np.inf)


def by_distance(edges: Sequence[tuple[int, int]], hops: int) -> np.ndarray:
    """The graph of all nodes within some distance, a matrix for each distance.

    Every column of their sum adds up to 1: each node takes the mean of those near it (Yan et al.,
    ST-GCN, AAAI 2018, "distance partitioning").

    Args:
        edges: pairs of neighbours among the nodes 0 to V - 1.
        hops: the largest distance.

    Returns:
        [hops + 1, V, V], float64; entry [k, i, j] weighs what node j takes from node i.
    """
    distances = hop_distances(edges)
    near = distances <= hops
    weights = near / near.sum(0)
    return np.stack([np.where(distances == k, weights, 0) for k in range(hops + 1)])


def uniform_init(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """Uniform within 1 / sqrt(channels of the result), as OpenGait draws kernel and bias."""
    bound = 1 / math.sqrt(shape[-1])
    return jax.random.uniform(key, shape, dtype, -bound, bound)


def partitioned_convolution(
    x: jax.Array, adjacency: jax.Array, features: int, dtype: Any, name: str
) -> jax.Array:
    """A graph convolution with weights of its own for each of K adjacency matrices.

    Yan et al., ST-GCN, AAAI 2018.

    Args:
        x: [N, T, V, C].
        adjacency: [K, V, V]; entry [k, i, j] weighs what node j takes from node i.
        features: channels of the result.
        dtype: of the activations.
        name: of the linear layer.

    Returns:
        [N, T, V, features].
    """
    partitions = len(adjacency)
    x = conv(partitions * features, 1, dtype, name, bias=True)(x)
    x = x.reshape(*x.shape[:3], partitions, features)
    return jnp.einsum("ntikc,kij->ntjc", x, adjacency.astype(dtype))


class GraphConvolution(nn.Module):
    """ReLU(BN(A (x W) + b)); every channel of every node has its own statistics.

    Attributes:
        features: channels of the result.
        dtype: of the activations.
    """

    features: int
    dtype: Any

    @nn.compact
    def __call__(
        self, x: jax.Array, adjacency: np.ndarray, train: bool, valid: jax.Array
    ) -> jax.Array:
        """Maps the nodes of every frame.

        Args:
            x: [N, T, K, C].
            adjacency: [K, K].
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            valid: bool [N, T], what counts in the statistics.

        Returns:
            [N, T, K, features].
        """
        wide = jnp.promote_types(self.dtype, jnp.float32)
        kernel = self.param("kernel", uniform_init, (x.shape[-1], self.features), wide)
        bias = self.param("bias", uniform_init, (self.features,), wide)
        x = x.astype(self.dtype) @ kernel.astype(self.dtype)
        x = jnp.einsum("jk,ntkc->ntjc", adjacency.astype(self.dtype), x) + bias.astype(self.dtype)
        flat = x.reshape(*x.shape[:2], -1)
        return nn.relu(BatchNorm(self.dtype, name="bn")(flat, train, valid)).reshape(x.shape)


class GraphNetwork(nn.Module):
    """Two graph convolutions with dropout before each.

    Attributes:
        features: channels of the result.
        dropout: rate.
        dtype: of the activations.
    """

    features: int
    dropout: float
    dtype: Any

    @nn.compact
    def __call__(
        self, x: jax.Array, adjacency: np.ndarray, train: bool, valid: jax.Array
    ) -> jax.Array:
        """Maps [N, T, K, C] to [N, T, K, features]; see `GraphConvolution`."""
        for i in (1, 2):
            x = nn.Dropout(self.dropout, deterministic=not train)(x)
            layer = GraphConvolution(self.features, self.dtype, name=f"layer{i}")
            x = layer(x, adjacency, train, valid)
        return x


OPENGAIT = [
    ("layer{i}/kernel", "gc{i}.weight", "as_is"),
    ("layer{i}/bias", "gc{i}.bias", "as_is"),
    ("layer{i}/bn", "gc{i}.bn", "batch_norm"),
]
