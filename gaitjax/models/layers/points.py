"""Neighbourhoods in clouds of points, and the layers of PointNet++ that see them.

Qi et al., "PointNet++: deep hierarchical feature learning on point sets in a metric space",
NeurIPS 2017. Squared distances are sums of squared differences, which float32 holds better than
the |a|^2 + |b|^2 - 2ab of the usual code. Of equal distances the point of the lower index counts.
"""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models.layers.batch_norm import BatchNorm


@functools.partial(jax.jit, static_argnames="number")
def farthest_points(
    points: jax.Array, number: int, start: jax.Array, valid: jax.Array | None = None
) -> jax.Array:
    """Picks points one after another, each the farthest from those before it.

    Args:
        points: [..., P, D].
        number: how many are picked; where there are fewer points, some are picked again.
        start: int [...], the first one, which has to be there.
        valid: bool [..., P], which points are there; None: all.

    Returns:
        int32 [..., number], indices of points.
    """
    distance = jnp.full(points.shape[:-1], jnp.inf, points.dtype)
    if valid is not None:
        distance = jnp.where(valid, distance, -1)  # less than any: never the farthest
        points = jnp.where(valid[..., None], points, 0)
    places = jnp.moveaxis(points, -1, 0)  # with points in the last axis it is twice as fast

    def pick(
        carry: tuple[jax.Array, jax.Array], _: None
    ) -> tuple[tuple[jax.Array, jax.Array], jax.Array]:
        distance, latest = carry
        picked = jnp.take_along_axis(places, latest[None, ..., None], -1)
        distance = jnp.minimum(distance, jnp.sum((places - picked) ** 2, 0))
        return (distance, jnp.argmax(distance, -1).astype(jnp.int32)), latest

    _, picked = jax.lax.scan(pick, (distance, start.astype(jnp.int32)), length=number)
    return jnp.moveaxis(picked, 0, -1)


@functools.partial(jax.jit, static_argnames="number")
def nearest_points(
    points: jax.Array, queries: jax.Array, number: int, valid: jax.Array | None = None
) -> jax.Array:
    """The points that are nearest to each query, the nearest one first.

    Args:
        points: [..., P, D].
        queries: [..., Q, D].
        number: how many of them, at most P; where fewer are there, the nearest one again.
        valid: bool [..., P], which points are there, at least one; None: all.

    Returns:
        int32 [..., Q, number], indices of points.
    """
    negative = -_square_distances(points, queries, valid)
    # Without the barrier XLA merges what follows into the selection, and sorts all points for it.
    negative, indices = jax.lax.optimization_barrier(jax.lax.top_k(negative, number))
    return jnp.where(jnp.isfinite(negative), indices, indices[..., :1])


@functools.partial(jax.jit, static_argnames="number")
def points_within(
    points: jax.Array,
    queries: jax.Array,
    radius: float,
    number: int,
    valid: jax.Array | None = None,
) -> jax.Array:
    """The first points within a radius of each query: a ball query.

    Args:
        points: [..., P, D].
        queries: [..., Q, D], each with a point within the radius, as all have that are points.
        radius: in the unit of the points; the sphere itself is within.
        number: how many of them, at most P; where there are fewer, the first one again.
        valid: bool [..., P], which points are there; None: all.

    Returns:
        int32 [..., Q, number], indices of points, in their order.
    """
    count = points.shape[-2]
    inside = _square_distances(points, queries, valid) <= radius**2
    # Of floats XLA finds the largest ones without sorting all.
    order = jnp.where(inside, jnp.arange(count, 0, -1, jnp.float32), 0)
    largest, _ = jax.lax.top_k(order, number)
    indices = count - largest.astype(jnp.int32)
    return jnp.where(largest > 0, indices, indices[..., :1])


def gather_points(x: jax.Array, indices: jax.Array) -> jax.Array:
    """What points [..., P, C] have at indices [..., *shape]: [..., *shape, C]."""
    flat = indices.reshape(*x.shape[:-2], -1)
    return jnp.take_along_axis(x, flat[..., None], -2).reshape(*indices.shape, x.shape[-1])


class SharedMLP(nn.Module):
    """Linear layers, BatchNorm and ReLU after each, the same for every point.

    Attributes:
        channels: of the layers.
        dtype: of the activations.
    """

    channels: tuple[int, ...]
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Maps points.

        Args:
            x: [N, T, ..., C].
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            valid: bool [N, T], what counts in the statistics.

        Returns:
            [N, T, ..., channels[-1]].
        """
        for i, features in enumerate(self.channels):
            x = nn.Dense(
                features,
                kernel_init=nn.initializers.xavier_uniform(),
                dtype=self.dtype,
                param_dtype=jnp.promote_types(self.dtype, jnp.float32),
                name=f"linear{i}",
            )(x)
            x = nn.relu(BatchNorm(self.dtype, name=f"bn{i}")(x, train, valid))
        return x


def _square_distances(points: jax.Array, queries: jax.Array, valid: jax.Array | None) -> jax.Array:
    """[..., Q, P], infinite where a point is not there."""
    differences = queries[..., :, None, :] - points[..., None, :, :]
    square = jnp.sum(differences**2, -1)
    return square if valid is None else jnp.where(valid[..., None, :], square, jnp.inf)
