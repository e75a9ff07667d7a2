"""Distances between embeddings, and how well they rank a gallery: pure functions of arrays.

Every ranking is stable: of two gallery entries at the same distance, the earlier one in the gallery
is the nearer. A probe's mates are the gallery entries of its identity; they are few beside the
gallery, and what a ranking is worth follows from where they rank.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.errors import UserError

METRICS = ("euclidean", "cosine")
NO_MATE = np.iinfo(np.int32).max  # larger than any position


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
def positions(distance: jax.Array, mates: jax.Array, group: jax.Array | None = None) -> jax.Array:
    """How many gallery entries rank before each mate of a probe, counted without sorting.

    Args:
        distance: [n, m]; NaN where a gallery entry does not take part in a probe's ranking.
        mates: int32 [n, K], the gallery entries of the probe's identity; m for none.
        group: int [m]; where given, only entries of the mate's own group take part.

    Returns:
        int32 [n, K]; NO_MATE for a mate that does not take part.
    """
    own = jnp.take_along_axis(distance, mates, 1, mode="fill", fill_value=jnp.nan)

    def count(mate: tuple[jax.Array, jax.Array]) -> jax.Array:
        entry, own = (x[:, None] for x in mate)
        earlier = jnp.arange(distance.shape[1]) < entry
        before = jnp.where(earlier, distance <= own, distance < own)
        if group is not None:
            before &= jnp.take(group, entry, mode="clip") == group
        return jnp.where(before, 1, 0).sum(1, dtype=jnp.int32)

    position: jax.Array = jax.lax.map(count, (mates.T, own.T))
    return jnp.where(jnp.isnan(own), NO_MATE, position.T)


@jax.jit
def first_match(position: jax.Array) -> jax.Array:
    """How many gallery entries rank before a probe's first mate.

    Args:
        position: int32 [n, K], as `positions` gives it.

    Returns:
        int32 [n]; NO_MATE for a probe without a mate.
    """
    return position.min(1)


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
def average_precision(position: jax.Array) -> jax.Array:
    """Mean, over a probe's mates, of the share of mates among the entries up to that mate.

    The mean over probes is mAP.

    Args:
        position: int32 [n, K], as `positions` gives it.

    Returns:
        float [n]; 0 for a probe without a mate.
    """
    ranked = position.sort(1)
    mate = ranked != NO_MATE
    precision = jnp.arange(1, ranked.shape[1] + 1) / (jnp.where(mate, ranked, 0) + 1)
    return jnp.where(mate, precision, 0).sum(1) / jnp.maximum(mate.sum(1), 1)


@jax.jit
def inverse_negative_penalty(position: jax.Array) -> jax.Array:
    """A probe's number of mates over the rank of its last mate.

    The mean over probes is mINP (Ye et al., "Deep Learning for Person Re-Identification: A Survey
    and Outlook", TPAMI 2022).

    Args:
        position: int32 [n, K], as `positions` gives it.

    Returns:
        float [n]; 0 for a probe without a mate.
    """
    mate = position != NO_MATE
    return mate.sum(1) / (jnp.where(mate, position, 0).max(1) + 1)
