"""Graph convolution over the parts of a body."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.models.layers.batch_norm import BatchNorm


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


def uniform_init(key: jax.Array, shape: tuple[int, ...], dtype: Any) -> jax.Array:
    """Uniform within 1 / sqrt(channels of the result), as OpenGait draws kernel and bias."""
    bound = 1 / math.sqrt(shape[-1])
    return jax.random.uniform(key, shape, dtype, -bound, bound)


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
