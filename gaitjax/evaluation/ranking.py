"""Where the mates of many probes rank in a gallery of any size.

Some probes at a time are compared with the whole gallery, which comes to the devices in chunks.
Each device has probes of its own, always as many at a time, so that neither their number nor that
of the processes moves a bit of a distance. Mates are few, and the host knows who they are: where
they rank is counted, nothing is sorted.
"""

import functools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from gaitjax.evaluation import metrics
from gaitjax.training import mesh as meshes

PROBES = 256  # at a time on each device
DISTANCES = 2**26  # at a time on each device: a gallery of millions meets fewer probes
CHUNK = 2**24  # numbers in the embeddings of a chunk of the gallery
KEPT = 2**29  # numbers in the embeddings of a gallery that stays on the devices


class Side(NamedTuple):
    """Probes or gallery: n of N sequences.

    Attributes:
        embeddings: [N, P, C] of all sequences, perhaps mapped into memory.
        identity: int32 [n].
        view: int32 [n].
        row: int32 [n], places in `embeddings`; a sequence is never compared with itself.
    """

    embeddings: Any
    identity: Any
    view: Any
    row: Any

    def take(self, index: Any) -> "Side":
        """Some of them, with their own embeddings alone."""
        row = self.row[index]
        return Side(self.embeddings[row], self.identity[index], self.view[index], row)


class Ranked(NamedTuple):
    """What a ranking says of each of n probes, see `metrics`.

    Attributes:
        first: int32 [n]; `metrics.NO_MATE` for a probe without a mate.
        precision: float64 [n], average precision.
        penalty: float64 [n], inverse negative penalty.
    """

    first: np.ndarray
    precision: np.ndarray
    penalty: np.ndarray


def rank(
    probe: Side, gallery: Side, metric: str, exclude: str, *, together: bool = False
) -> Ranked:
    """First match, average precision and inverse negative penalty of each probe.

    Args:
        probe: n sequences.
        gallery: m sequences.
        metric: 'euclidean' or 'cosine'.
        exclude: 'view': entries of the probe's identity and view do not count; 'whole view': those
            of its view, whoever is seen; 'none': all do.
        together: every process calls this, and each ranks its share of the probes.
    """
    columns = Mates.of(probe.identity, gallery.identity)

    def score(distance: jax.Array, probes: np.ndarray, mesh: Mesh) -> Any:
        mates = jax.device_put(columns.of_probes(probes), meshes.split(mesh))
        with jax.enable_x64(True):  # shares of small numbers, which OpenGait prints to 16 digits
            return _rank(distance, mates)

    return Ranked(*by_blocks(score, columns.order, probe, gallery, metric, exclude, together))


@jax.jit
def _rank(distance: jax.Array, mates: jax.Array) -> tuple[jax.Array, ...]:
    position = metrics.positions(distance, mates)
    return (
        metrics.first_match(position),
        metrics.average_precision(position),
        metrics.inverse_negative_penalty(position),
    )


def rank_by_view(
    probe: Side, gallery: Side, views: np.ndarray, metric: str, *, together: bool = False
) -> np.ndarray:
    """First match of each probe in a gallery for each view, as if there was no other view.

    Args:
        probe: n sequences.
        gallery: m sequences.
        views: int32 [V].
        metric: 'euclidean' or 'cosine'.
        together: as in `rank`.

    Returns:
        int32 [n, V]; `metrics.NO_MATE` where a probe has no mate.
    """
    columns = Mates.of(probe.identity, gallery.identity)

    def score(distance: jax.Array, probes: np.ndarray, mesh: Mesh) -> Any:
        mates = jax.device_put(columns.of_probes(probes), meshes.split(mesh))
        return _rank_by_view(distance, mates, gallery.view, views)

    first: np.ndarray = by_blocks(score, columns.order, probe, gallery, metric, "none", together)
    return first


@jax.jit
def _rank_by_view(
    distance: jax.Array, mates: jax.Array, view: jax.Array, views: jax.Array
) -> jax.Array:
    position = metrics.positions(distance, mates, view)
    own = jnp.take(view, mates, mode="clip")[..., None] == views
    return jnp.where(own, position[..., None], metrics.NO_MATE).min(1)


def nearest(
    probe: Side, gallery: Side, k: int, metric: str, exclude: str
) -> tuple[np.ndarray, np.ndarray]:
    """The k gallery entries nearest to each probe; of equal distances the earlier comes first.

    Args:
        probe: n sequences.
        gallery: m sequences, k or more.
        k: entries for each probe.
        metric: 'euclidean' or 'cosine'.
        exclude: as in `rank`.

    Returns:
        int32 [n, k], the entries' `row`; their distances [n, k], infinite for entries that do not
        count.
    """

    def score(distance: jax.Array, probes: np.ndarray, mesh: Mesh) -> Any:
        return _nearest(distance, k)

    order = np.arange(len(probe.row))
    index, distance = by_blocks(score, order, probe, gallery, metric, exclude, together=False)
    return gallery.row[index], distance


@functools.partial(jax.jit, static_argnames="k")
def _nearest(distance: jax.Array, k: int) -> tuple[jax.Array, jax.Array]:
    closeness, index = jax.lax.top_k(jnp.where(jnp.isnan(distance), -jnp.inf, -distance), k)
    return index, -closeness


class Mates(NamedTuple):
    """The gallery entries of each probe's identity.

    Attributes:
        entries: int [m], the gallery in the order of its identities.
        begin: int [n], where a probe's identity begins in `entries`.
        end: int [n], where it ends.
        order: int [n], the probes in the order of their number of mates.
    """

    entries: np.ndarray
    begin: np.ndarray
    end: np.ndarray
    order: np.ndarray

    @classmethod
    def of(cls, probe: np.ndarray, gallery: np.ndarray) -> "Mates":
        """From the identities of probes and gallery, int [n] and [m]."""
        entries = np.argsort(gallery, kind="stable")
        begin, end = (np.searchsorted(gallery[entries], probe, side) for side in ("left", "right"))
        return cls(entries, begin, end, np.argsort(end - begin, kind="stable"))

    def of_probes(self, probes: np.ndarray) -> np.ndarray:
        """Their gallery entries, int32 [len(probes), K], m for none; K is a power of 2."""
        begin, end = self.begin[probes, None], self.end[probes, None]
        most = max(1, int((end - begin).max()))
        place = begin + np.arange(1 << (most - 1).bit_length())
        found = self.entries[np.minimum(place, len(self.entries) - 1)]
        return np.where(place < end, found, len(self.entries)).astype(np.int32)


def by_blocks(
    score: Callable[[jax.Array, np.ndarray, Mesh], Any],
    order: np.ndarray,
    probe: Side,
    gallery: Side,
    metric: str,
    exclude: str,
    together: bool,
) -> Any:
    """Scores all probes, a block of them at a time on every device.

    Args:
        score: f(distances [rows, m], NaN where an entry does not count, which probes [rows], mesh)
            -> tree of [rows, ...].
        order: int [n], in which the probes are taken.
        probe: n sequences.
        gallery: m sequences.
        metric: 'euclidean' or 'cosine'.
        exclude: as in `rank`.
        together: as in `rank`.

    Returns:
        what `score` returns, of all n probes.
    """
    n, m = len(order), len(gallery.row)
    size = max(1, min(PROBES, DISTANCES // m))
    blocks = np.resize(order, (-(-n // size), size))
    share = meshes.share_of(len(blocks)) if together else np.arange(len(blocks))
    mesh = meshes.local_devices()
    chunks = _chunks(gallery, mesh)
    results = []
    for chosen in np.resize(share, (max(1, -(-len(share) // mesh.size)), mesh.size)):
        probes = blocks[chosen].ravel()
        placed = jax.device_put(probe.take(probes), meshes.split(mesh))
        distance = _distances(placed, chunks(), m, metric, exclude, mesh)
        results.append(jax.device_get(score(distance, probes, mesh)))

    def collect(*parts: np.ndarray) -> np.ndarray:
        own = np.concatenate(parts)[: len(share) * size]
        own = own.reshape(len(share), size, *own.shape[1:])
        found = meshes.gather_shares(own, len(blocks)) if together else own
        found = found.reshape(-1, *found.shape[2:])[:n]
        result = np.empty_like(found)
        result[order] = found
        return result

    return jax.tree.map(collect, *results)


def _chunks(gallery: Side, mesh: Mesh) -> Callable[[], Iterable[tuple[int, Side]]]:
    """f() -> where a chunk begins in the gallery, and the chunk on every device; the last overlaps.

    A gallery of moderate size is put there once.
    """
    m, numbers = len(gallery.row), int(np.prod(gallery.embeddings.shape[1:]))
    size = min(m, max(1, CHUNK // numbers))

    def put() -> Iterator[tuple[int, Side]]:
        for start in range(0, m, size):
            begin = min(start, m - size)
            chunk = gallery.take(np.arange(begin, begin + size))
            yield begin, jax.device_put(chunk, meshes.replicated(mesh))

    if m * numbers > KEPT:
        return put
    kept = list(put())
    return lambda: kept


def _distances(
    probe: Side,
    chunks: Iterable[tuple[int, Side]],
    m: int,
    metric: str,
    exclude: str,
    mesh: Mesh,
) -> jax.Array:
    """Distances [n, m], NaN where an entry does not count."""
    dtype = jnp.promote_types(probe.embeddings.dtype, jnp.float32)
    distance = jnp.zeros((len(probe.row), m), dtype, device=meshes.split(mesh))
    for start, chunk in chunks:
        jax.block_until_ready(distance)  # so that at most two chunks are on the devices
        distance = _fill(distance, start, probe, chunk, metric, exclude)
    return distance


@functools.partial(jax.jit, static_argnames=("metric", "exclude"), donate_argnums=0)
def _fill(
    distance: jax.Array, start: int, probe: Side, gallery: Side, metric: str, exclude: str
) -> jax.Array:
    """Writes the distances to a chunk, which begins at `start`."""
    counts = probe.row[:, None] != gallery.row
    if exclude != "none":
        excluded = probe.view[:, None] == gallery.view
        if exclude == "view":
            excluded &= probe.identity[:, None] == gallery.identity
        counts &= ~excluded
    own = metrics.distances(probe.embeddings, gallery.embeddings, metric)
    own = jnp.where(counts, own, jnp.nan)
    return jax.lax.dynamic_update_slice_in_dim(distance, own, start, axis=1)
