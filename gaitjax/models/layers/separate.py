"""A head for every part: linear layers and BNNecks that share nothing between parts."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models.layers.batch_norm import BatchNorm


def parts_xavier(key: jax.Array, shape: tuple[int, int, int], dtype: Any) -> jax.Array:
    """Uniform Glorot values for [P, C_in, C_out], with the fans that PyTorch counts in 3-D."""
    parts, c_in, c_out = shape
    fans = c_in * c_out + parts * c_out
    bound = math.sqrt(6 / fans) if fans else 0.0  # a head that was left out has 0 classes
    return jax.random.uniform(key, shape, dtype, -bound, bound)


def l2_normalise(x: jax.Array, axis: int) -> jax.Array:
    """Divides by max(||x||, 1e-12) along an axis."""
    square = jnp.sum(x * x, axis, keepdims=True)
    tiny = square <= 1e-24
    return jnp.where(tiny, x / 1e-12, x / jnp.sqrt(jnp.where(tiny, 1, square)))


class SeparateFCs(nn.Module):
    """One linear layer a part, without bias: [N, P, C_in] -> [N, P, C_out].

    Attributes:
        features: C_out.
        dtype: of the result.
        normalise: whether every output's weights have unit length.
    """

    features: int
    dtype: Any
    normalise: bool = False

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """Maps the parts of x [N, P, C_in]."""
        wide = jnp.promote_types(self.dtype, jnp.float32)
        kernel = self.param("kernel", parts_xavier, (*x.shape[1:], self.features), wide)
        if self.normalise:
            kernel = l2_normalise(kernel, 1)
        return jnp.einsum("npc,pcd->npd", x.astype(self.dtype), kernel.astype(self.dtype))


class SeparateBNNecks(nn.Module):
    """One BNNeck a part (Luo et al., CVPRW 2019), with cosine logits.

    Every channel of every part has its own statistics over the batch. Computed in float32 or above.
    """

    classes: int
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> tuple[jax.Array, jax.Array]:
        """Normalises and classifies x [N, P, C].

        Returns:
            (features of unit length [N, P, C], cosines to the classes [N, P, classes]).
        """
        wide = jnp.promote_types(self.dtype, jnp.float32)
        kernel = self.param("kernel", parts_xavier, (*x.shape[1:], self.classes), wide)
        x = BatchNorm(wide, axes=2, name="bn")(x, train)
        x = l2_normalise(x, -1)
        return x, jnp.einsum("npc,pcd->npd", x, l2_normalise(kernel, 1))
