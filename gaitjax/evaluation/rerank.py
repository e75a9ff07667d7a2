"""Re-ranking by k-reciprocal neighbours: who is near is whoever has the same neighbourhood.

Zhong et al., "Re-ranking Person Re-identification with k-reciprocal Encoding", CVPR 2017. Sets of
neighbours are small, so they are kept sparse: time and memory beyond the given distances grow with
the number of neighbours, not with the square of the number of sequences.
"""

from typing import Any

import jax
import numpy as np
from scipy import sparse

from gaitjax.errors import UserError

CHUNK = 1024  # rows at a time
Sparse = Any  # scipy.sparse.csr_array or csc_array, float32


def rerank(
    distance: np.ndarray,
    probes: int,
    *,
    k1: int,
    k2: int,
    weight: float,
    half_precision: bool = False,
) -> np.ndarray:
    """Distances of probes to the gallery, blended with how little their neighbourhoods overlap.

    Of two entries at the same distance, the earlier one is the nearer. OpenGait's HID submission
    takes k1 = k2 = 6 and a weight of 0.3.

    Args:
        distance: [N, N] between all sequences, the probes before the gallery.
        probes: how many of the N are probes.
        k1: neighbours that must be mutual.
        k2: nearest sequences, itself included, over which a neighbourhood is averaged; 1 for none.
        weight: of the given distance, divided by the largest in its row; 1 - weight is that of the
            Jaccard distance.
        half_precision: computes the neighbourhoods and their overlap in float16, whose rounding
            moves the result by some 1e-3, as OpenGait does.

    Returns:
        float32 [probes, N - probes].

    Raises:
        UserError: if the distances are not a finite square, or probes or gallery are empty.
    """
    _check(distance, probes, k1, k2)
    # OpenGait divides every column by its largest, and from then on reads columns as rows.
    distance = distance.T
    largest = distance.max(1, keepdims=True)
    scale = np.where(largest > 0, largest, 1)
    nearest = _nearest(distance, max(k1 + 1, k2))
    dtype = np.float16 if half_precision else np.float32
    sets = _weigh(_expand(nearest[:, : k1 + 1], k1), distance, scale)
    sets.data = sets.data.astype(dtype).astype(np.float32)
    if k2 > 1:
        sets = _mean_of(nearest[:, :k2], sets)
        sets.data = sets.data.astype(dtype).astype(np.float32)
    overlap = _overlap(sets[:probes], sets[probes:].tocsc(), dtype)
    jaccard = 1 - overlap / (2 - overlap)
    own = distance[:probes, probes:] / scale[:probes]
    result: np.ndarray = jaccard * (1 - weight) + own * weight
    return result.astype(np.float32)


def _check(distance: np.ndarray, probes: int, k1: int, k2: int) -> None:
    n = len(distance)
    if distance.shape != (n, n) or not np.isfinite(distance).all():
        raise UserError(
            f"the distances to re-rank are {list(distance.shape)}, or not all finite; expected a "
            "finite square between all sequences, probes before the gallery"
        )
    if not 0 < probes < n or k1 < 1 or k2 < 1:
        raise UserError(
            f"{probes} of {n} sequences are probes, k1 is {k1} and k2 is {k2}; re-ranking needs a "
            "probe, a gallery entry, and at least one neighbour"
        )


def _nearest(distance: np.ndarray, k: int) -> np.ndarray:
    """The k nearest [N, k] of each row, ties in order."""
    k = min(k, len(distance))
    top = jax.jit(lambda rows: jax.lax.top_k(-rows, k)[1])
    chunks = range(0, len(distance), CHUNK)
    return np.concatenate([jax.device_get(top(distance[i : i + CHUNK])) for i in chunks])


def _expand(nearest: np.ndarray, k1: int) -> Sparse:
    """Each row's mutual neighbours, and the mutual neighbours of those, where most are shared."""
    n = len(nearest)
    half = nearest[:, : round(k1 / 2) + 1]
    mutual, mutual_half = _mutual(nearest), _mutual(half)
    rows, columns = [], []
    for start in range(0, n, CHUNK):
        own, is_own = nearest[start : start + CHUNK], mutual[start : start + CHUNK]
        theirs, is_theirs = half[own], mutual_half[own]
        equal = (theirs[..., None] == own[:, None, None]) & is_own[:, None, None]
        shared = (is_theirs & equal.any(-1)).sum(-1)
        joins = (is_own & (3 * shared > 2 * is_theirs.sum(-1)))[..., None] & is_theirs
        rows += [start + np.nonzero(is_own)[0], start + np.nonzero(joins)[0]]
        columns += [own[is_own], theirs[joins]]
    row, column = np.concatenate(rows), np.concatenate(columns)
    return sparse.csr_array((np.ones(len(row), np.float32), (row, column)), shape=(n, n))


def _mutual(nearest: np.ndarray) -> np.ndarray:
    """Which neighbours [N, k] have the row among their own k."""
    n = len(nearest)
    chunks = (np.arange(n)[i : i + CHUNK] for i in range(0, n, CHUNK))
    return np.concatenate([(nearest[nearest[i]] == i[:, None, None]).any(-1) for i in chunks])


def _weigh(sets: Sparse, distance: np.ndarray, scale: np.ndarray) -> Sparse:
    """The sets with weights that fall with the distance and add up to 1 in each row."""
    row, column = sets.tocoo().coords
    closeness = np.exp(-distance[row, column] / scale[row, 0])
    total = np.bincount(row, closeness, len(distance))
    sets.data = (closeness / total[row]).astype(np.float32)
    return sets


def _mean_of(nearest: np.ndarray, sets: Sparse) -> Sparse:
    """The mean of the sets of each row's nearest."""
    n, k = nearest.shape
    ones = np.ones(n * k, np.float32)
    chosen = sparse.csr_array((ones, nearest.ravel(), np.arange(0, n * k + 1, k)), shape=(n, n))
    mean = chosen @ sets
    mean.data /= k
    mean.sort_indices()
    return mean


def _overlap(probe: Sparse, gallery: Sparse, dtype: type) -> np.ndarray:
    """Sums over the N columns of the smaller of two weights, [n, m].

    The j-th entries of all probes are added together, so that each sum is made in the order of the
    columns, which matters in float16.

    Args:
        probe: rows [n, N].
        gallery: columns of [m, N].
        dtype: of the sums.
    """
    total = np.zeros((probe.shape[0], gallery.shape[0]), dtype)
    entries, members = np.diff(probe.indptr), np.diff(gallery.indptr)
    for j in range(entries.max()):
        own = np.flatnonzero(entries > j)
        place = probe.indptr[own] + j
        column = probe.indices[place]
        count = members[column]
        ends = count.cumsum()
        within = np.arange(ends[-1]) - np.repeat(ends - count, count)
        at = np.repeat(gallery.indptr[column], count) + within
        smaller = np.minimum(np.repeat(probe.data[place], count), gallery.data[at])
        total[np.repeat(own, count), gallery.indices[at]] += smaller
    return total
