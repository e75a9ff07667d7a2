"""Distances between embeddings, and how well they rank a gallery: pure functions of arrays.

Every ranking is stable: of two gallery entries at the same distance, the earlier one in the gallery
is the nearer. `counts` says which gallery entries take part in a probe's ranking; its mates are
those among them that have its identity.
"""

import functools

import jax
import jax.numpy as jnp

from gaitjax.errors import UserError

METRICS = ("euclidean", "cosine")


@functools.partial(jax.jit, static_argnames="metric")
def distances(probe: jax.Array, gallery: jax.Array, metric: str) -> jax.Array:
    """Distances of probes to gallery entries, the mean over parts.

    Parts are added one after another, so that besides the result only one part's matrix exists.

    Args:
        probe: [n, P, C] embeddings.
        gallery: [m, P, C] embeddings.
        metric: 'euclidean', or 'cosine': 1 - cosine of the angle between the channels.

    Returns:
        [n, m], float32 or above.

    Raises:
        UserError: for another metric.
    """
    if metric not in METRICS:
        raise UserError(f"metric {metric!r} is not known; it is one of {', '.join(METRICS)}")
    dtype = jnp.promote_types(probe.dtype, jnp.float32)
    probe, gallery = probe.astype(dtype), gallery.astype(dtype)
    if metric == "cosine":
        probe, gallery = _normalise(probe), _normalise(gallery)

    def add_part(part: jax.Array, total: jax.Array) -> jax.Array:
        x, y = probe[:, part], gallery[:, part]
        product = jnp.matmul(x, y.T, precision="highest")
        if metric == "cosine":
            return total + product
        square = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * product
        return total + jnp.sqrt(jax.nn.relu(square))

    parts = probe.shape[1]
    empty = jnp.zeros((probe.shape[0], gallery.shape[0]), dtype)
    mean: jax.Array = jax.lax.fori_loop(0, parts, add_part, empty) / parts
    return 1 - mean if metric == "cosine" else mean


def _normalise(x: jax.Array) -> jax.Array:
    norm = jnp.sqrt((x**2).sum(-1, keepdims=True))
    return x / jnp.maximum(norm, 1e-12)


@jax.jit
def first_match(
    distance: jax.Array, probe: jax.Array, gallery: jax.Array, counts: jax.Array
) -> jax.Array:
    """How many gallery entries rank before a probe's first mate, counted without sorting.

    Args:
        distance: [n, m].
        probe: int [n], identities.
        gallery: int [m], identities.
        counts: bool [n, m], the entries that take part.

    Returns:
        int32 [n]; m for a probe without a mate.
    """
    mate = counts & (probe[:, None] == gallery)
    mates = jnp.where(mate, distance, jnp.inf)
    nearest = mates.argmin(1)[:, None]
    before = _precedes(distance, jnp.take_along_axis(mates, nearest, 1), nearest)
    return jnp.where(mate.any(1), (counts & before).sum(1), gallery.shape[0]).astype(jnp.int32)


def _precedes(distance: jax.Array, other: jax.Array, index: jax.Array) -> jax.Array:
    """Which entries [n, m] rank before the entry `index` [n, 1] at the distance `other` [n, 1]."""
    earlier = jnp.arange(distance.shape[1]) < index
    return (distance < other) | ((distance == other) & earlier)


@functools.partial(jax.jit, static_argnames="length")
def cumulative_matches(position: jax.Array, length: int) -> jax.Array:
    """The cumulative match characteristic (CMC), as numbers of probes.

    Args:
        position: int [n], as `first_match` gives it, of probes that have a mate.
        length: the highest rank.

    Returns:
        int32 [length]; entry k - 1 is the number of probes with a mate among their k nearest.
    """
    return (position[:, None] < jnp.arange(1, length + 1)).sum(0, dtype=jnp.int32)


@jax.jit
def average_precision(
    distance: jax.Array, probe: jax.Array, gallery: jax.Array, counts: jax.Array
) -> jax.Array:
    """Mean, over a probe's mates, of the share of mates among the entries up to that mate.

    The mean over probes is mAP. Arguments are those of `first_match`.

    Returns:
        [n], float32 or above; 0 for a probe without a mate.
    """
    order = jnp.where(counts, distance, jnp.inf).argsort(1, stable=True)
    mate = counts & (probe[:, None] == gallery)
    ranked = jnp.take_along_axis(mate, order, 1)
    precision = ranked.cumsum(1) / jnp.arange(1, gallery.shape[0] + 1, dtype=distance.dtype)
    total = jnp.where(ranked, precision, 0).sum(1)
    return total / jnp.maximum(mate.sum(1), 1)


@jax.jit
def inverse_negative_penalty(
    distance: jax.Array, probe: jax.Array, gallery: jax.Array, counts: jax.Array
) -> jax.Array:
    """A probe's number of mates over the rank of its last mate, counted without sorting.

    The mean over probes is mINP (Ye et al., "Deep Learning for Person Re-Identification: A Survey
    and Outlook", TPAMI 2022). Arguments are those of `first_match`.

    Returns:
        [n], float32 or above; 0 for a probe without a mate.
    """
    mate = counts & (probe[:, None] == gallery)
    furthest = jnp.where(mate, distance, -jnp.inf).max(1, keepdims=True)
    index = jnp.where(mate & (distance == furthest), jnp.arange(distance.shape[1]), -1)
    before = _precedes(distance, furthest, index.max(1, keepdims=True))
    rank = (counts & before).sum(1, dtype=distance.dtype) + 1
    return mate.sum(1) / rank
