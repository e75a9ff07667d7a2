"""Every search of a protocol, and lists of the nearest for some of them."""

from typing import NamedTuple

import numpy as np

from gaitjax.datasets import Protocol
from gaitjax.evaluation import metrics, protocols, ranking
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.evaluation.protocols import NO_MATE
from gaitjax.evaluation.ranking import Side

NOT_SCORED = -1
SHOWN = 5  # entries of a rank list


class Searches(NamedTuple):
    """A condition's searches: of each of n probes in each of G galleries.

    Attributes:
        probe: the n probes; `embeddings` is of all sequences.
        gallery: the m entries of all galleries, likewise.
        views: str [n], the viewpoints of the probes.
        gallery_views: str [m], those of the gallery.
        galleries: the viewpoints of the galleries, str [G]; one '' for a gallery of all views.
        first: int32 [n, G], gallery entries before the probe's first mate; NO_MATE where that
            counts as a miss, NOT_SCORED where the search is no part of the scores.
        weights: float64 [n, G], the share of each search in the condition's score.
    """

    probe: Side
    gallery: Side
    views: np.ndarray
    gallery_views: np.ndarray
    galleries: np.ndarray
    first: np.ndarray
    weights: np.ndarray


class Entry(NamedTuple):
    """A gallery entry as a probe sees it."""

    row: int
    distance: float
    is_mate: bool


class RankList(NamedTuple):
    """What a search found.

    Attributes:
        probe: its row.
        gallery: the viewpoint of the gallery; '' for all.
        size: gallery entries that took part.
        position: of the first mate, from 1.
        nearest: the first entries.
        mate: the first mate.
    """

    probe: int
    gallery: str
    size: int
    position: int
    nearest: list[Entry]
    mate: Entry


def searches(protocol: Protocol, embeddings: Embeddings, metric: str) -> dict[str, Searches]:
    """Where the mates of every probe rank, by condition.

    Args:
        protocol: who is probe and who is gallery.
        embeddings: of N sequences.
        metric: 'euclidean' or 'cosine'.

    Raises:
        UserError: as `protocols.select` does.
    """
    views = viewpoints(protocol, embeddings)
    identity, view = (
        np.unique(column, return_inverse=True)[1].astype(np.int32)
        for column in (embeddings.identities, views)
    )

    def side(rows: np.ndarray) -> Side:
        return Side(embeddings.embeddings, identity[rows], view[rows], rows.astype(np.int32))

    found = {}
    for condition, rows in protocols.select(protocol, *_names(embeddings)).items():
        probe, gallery = side(rows.probes), side(rows.gallery)
        of_probes, of_gallery = views[rows.probes], views[rows.gallery]
        if protocol.gallery_views == "single":
            galleries, first = _in_each_view(protocol, probe, gallery, metric, of_gallery)
        else:
            galleries, first = np.array([""]), _in_all_views(protocol, probe, gallery, metric)
        by_view = protocol.gallery_views == "single" or protocol.average == "views"
        weights = _weights(first != NOT_SCORED, of_probes if by_view else of_probes[:1])
        found[condition] = Searches(
            probe, gallery, of_probes, of_gallery, galleries, first, weights
        )
    return found


def viewpoints(protocol: Protocol, embeddings: Embeddings) -> np.ndarray:
    """What counts as the view of each sequence, str [N]."""
    return protocols.viewpoints(protocol, *_names(embeddings))


def _names(embeddings: Embeddings) -> tuple[list[str], list[str], list[str]]:
    return embeddings.identities.tolist(), embeddings.types.tolist(), embeddings.views.tolist()


def _in_each_view(
    protocol: Protocol, probe: Side, gallery: Side, metric: str, views: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    codes = np.unique(gallery.view)
    first = ranking.rank_by_view(probe, gallery, codes, metric)
    unscored = (probe.view[:, None] == codes) & (protocol.exclude == "view")
    return np.unique(views), np.where(unscored, NOT_SCORED, first)


def _in_all_views(protocol: Protocol, probe: Side, gallery: Side, metric: str) -> np.ndarray:
    first = ranking.rank(probe, gallery, metric, protocol.exclude).first
    without = NOT_SCORED if protocol.unmatched == "skip" else NO_MATE
    return np.where(first == NO_MATE, without, first)[:, None]


def _weights(scored: np.ndarray, views: np.ndarray) -> np.ndarray:
    """Weights whose sum is the mean over probe views of means over galleries of means of probes."""
    weights = np.zeros(scored.shape)
    for view in np.unique(views):
        own = scored & (views == view)[:, None]
        searched = own.sum(0)
        weights += own / np.maximum(searched, 1) / max((searched > 0).sum(), 1)
    total = max(float(weights.sum()), 1.0)
    return np.asarray(weights / total)


def cumulative_matches(searches: Searches, length: int) -> np.ndarray:
    """The CMC curve of a condition, percent [length], weighed as its scores are."""
    ranks = np.arange(length)
    first = np.where(searches.first == NOT_SCORED, NO_MATE, searches.first)
    hits = np.bincount(
        np.minimum(first, length).ravel(), searches.weights.ravel(), minlength=length + 1
    )
    curve: np.ndarray = 100 * hits.cumsum()[ranks]
    return curve


def misses(searches: Searches, identities: np.ndarray) -> dict[str, tuple[int, int]]:
    """Identity -> (searches whose nearest entry is somebody else, searches)."""
    names, codes = np.unique(identities[searches.probe.row], return_inverse=True)
    scored = (searches.first != NOT_SCORED).sum(1)
    missed = (searches.first > 0).sum(1)
    pairs = zip(np.bincount(codes, missed), np.bincount(codes, scored), strict=True)
    return {n: (int(m), int(s)) for n, (m, s) in zip(names.tolist(), pairs, strict=True) if s}


def hardest(searches: Searches, number: int) -> list[tuple[int, int]]:
    """The failures whose mates rank last, one a probe, taken from all probe views in turn.

    Returns:
        up to `number` (probe, gallery), indices into `searches.first`; the hardest of each view
        before the second of each.
    """
    ranked = np.where(searches.first == NO_MATE, NOT_SCORED, searches.first)
    gallery, worst = ranked.argmax(1), ranked.max(1)
    order = np.argsort(-worst, kind="stable")
    order = order[worst[order] > 0]
    turn = np.zeros(len(order), int)
    for view in np.unique(searches.views):
        own = searches.views[order] == view
        turn[own] = np.arange(own.sum())
    chosen = order[np.argsort(turn, kind="stable")][:number]
    return [(probe, int(gallery[probe])) for probe in chosen.tolist()]


def successes(searches: Searches, number: int, seed: int) -> list[tuple[int, int]]:
    """Up to `number` searches that found a mate first, drawn at random, sorted."""
    found = np.argwhere(searches.first == 0)
    drawn = np.random.default_rng(seed).choice(len(found), min(number, len(found)), replace=False)
    return [(int(probe), int(gallery)) for probe, gallery in found[np.sort(drawn)]]


def rank_lists(
    protocol: Protocol, searches: Searches, chosen: list[tuple[int, int]], metric: str
) -> list[RankList]:
    """What some of a condition's searches found; every one of them has a mate."""
    if not chosen:
        return []
    own, of = np.array(chosen).T
    probe, gallery = _some(searches.probe, own), searches.gallery
    counts = probe.row[:, None] != gallery.row
    if protocol.gallery_views == "single":
        counts &= searches.galleries[of, None] == searches.gallery_views
    elif protocol.exclude == "view":
        same = probe.identity[:, None] == gallery.identity
        counts &= ~(same & (probe.view[:, None] == gallery.view))
    mates = _first_mates(probe, gallery, counts, metric)
    nearest = _nearest(protocol, searches, own, of, metric)
    positions = (searches.first[own, of] + 1).tolist()
    sizes, names = counts.sum(1).tolist(), searches.galleries[of].tolist()
    return [
        RankList(*fields)
        for fields in zip(probe.row.tolist(), names, sizes, positions, nearest, mates, strict=True)
    ]


def _some(side: Side, index: np.ndarray) -> Side:
    """Some of a side, which share the embeddings of all."""
    return Side(side.embeddings, *(x[index] for x in side[1:]))


def _first_mates(probe: Side, gallery: Side, counts: np.ndarray, metric: str) -> list[Entry]:
    """The nearest mate of each probe, among the entries [n, m] that count."""
    mates = counts & (probe.identity[:, None] == gallery.identity)
    of_any = np.flatnonzero(mates.any(0))
    rows = gallery.row[of_any]
    distance = np.asarray(
        metrics.distances(probe.embeddings[probe.row], gallery.embeddings[rows], metric)
    )
    distance = np.where(mates[:, of_any], distance, np.inf)
    return [
        Entry(int(rows[i]), float(x[i]), is_mate=True)
        for x, i in zip(distance, distance.argmin(1), strict=True)
    ]


def _nearest(
    protocol: Protocol, searches: Searches, own: np.ndarray, of: np.ndarray, metric: str
) -> list[list[Entry]]:
    """The first entries that probes find, each in its gallery."""
    found: list[list[Entry]] = [[]] * len(own)
    for column in np.unique(of):
        here, gallery, exclude = np.flatnonzero(of == column), searches.gallery, protocol.exclude
        if protocol.gallery_views == "single":
            gallery = _some(gallery, searches.gallery_views == searches.galleries[column])
            exclude = "none"
        probe, shown = _some(searches.probe, own[here]), min(SHOWN, len(gallery.row))
        rows, distance = ranking.nearest(probe, gallery, shown, metric, exclude)
        identity = gallery.identity[np.searchsorted(gallery.row, rows)]
        mates = identity == probe.identity[:, None]
        for place, *of_probe in zip(here, rows, distance, mates, strict=True):
            found[place] = [
                Entry(int(row), float(x), bool(is_mate))
                for row, x, is_mate in zip(*of_probe, strict=True)
                if np.isfinite(x)
            ]
    return found
