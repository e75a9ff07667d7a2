"""Where the mates of many probes rank in a gallery, some probes at a time."""

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import jax
import numpy as np

from gaitjax.evaluation import metrics

CHUNK = 256  # probes at a time: memory is a few arrays of CHUNK x gallery numbers


class Side(NamedTuple):
    """Probes or gallery: [n, P, C] and int32 [n]; `row` tells a sequence from all others."""

    embeddings: Any
    identity: Any
    view: Any
    row: Any


def by_chunks(function: Callable[[Side, Side], Any], probe: Side, gallery: Side) -> Any:
    """Applies the function to CHUNK probes at a time, the last of them filled up with others."""
    n = len(probe.row)
    results = []
    for start in range(0, n, CHUNK):
        rows = np.arange(start, start + CHUNK) % n
        chunk = jax.device_put(Side(*(x[rows] for x in probe)))
        results.append(jax.device_get(function(chunk, gallery)))
    return jax.tree.map(lambda *x: np.concatenate(x)[:n], *results)


@functools.partial(jax.jit, static_argnames=("metric", "exclude"))
def rank(probe: Side, gallery: Side, metric: str, exclude: str) -> tuple[jax.Array, ...]:
    """First match, average precision and inverse negative penalty of each probe."""
    counts = probe.row[:, None] != gallery.row
    if exclude == "view":
        same_view = probe.view[:, None] == gallery.view
        counts &= ~(same_view & (probe.identity[:, None] == gallery.identity))
    distance = metrics.distances(probe.embeddings, gallery.embeddings, metric)
    ranking = (distance, probe.identity, gallery.identity, counts)
    return (
        metrics.first_match(*ranking),
        metrics.average_precision(*ranking),
        metrics.inverse_negative_penalty(*ranking),
    )


@functools.partial(jax.jit, static_argnames="metric")
def rank_by_view(probe: Side, gallery: Side, views: jax.Array, metric: str) -> jax.Array:
    """First match [n, V] of each probe in the gallery of each of the V views."""
    distance = metrics.distances(probe.embeddings, gallery.embeddings, metric)
    other = probe.row[:, None] != gallery.row
    first: jax.Array = jax.lax.map(
        lambda view: metrics.first_match(
            distance, probe.identity, gallery.identity, other & (gallery.view == view)
        ),
        views,
    )
    return first.T
