"""What scores are made of, identity by identity, and how sure their differences are."""

import collections
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

BY_IDENTITY = "by_identity"  # where the JSON of a result has them, see `encode`
CHUNK = 64  # resamples at a time
COVERED = 95  # percent of the resamples that lie in an interval


class Tally(NamedTuple):
    """What a score is made of.

    The score is the mean over V views of the share `sums / of`, both added up over I identities; a
    score that is no mean over views has one. It is the protocol's but for the rounding of views.

    Attributes:
        identities: those of the probes, I.
        sums: float64 [V, I], the hits, or whatever is averaged, of the probes that count.
        of: int64 [V, I], how many probes count.
    """

    identities: tuple[str, ...]
    sums: np.ndarray
    of: np.ndarray


def tally(values: np.ndarray, identities: np.ndarray, views: np.ndarray) -> Tally:
    """Adds up what is known of n probes.

    Args:
        values: [n], what is averaged, 1 being the best; NaN where a probe does not count.
        identities: str [n].
        views: [n], whatever tells views apart.
    """
    names, identity = np.unique(identities, return_inverse=True)
    groups, view = np.unique(views, return_inverse=True)
    cell, shape = view * len(names) + identity, (len(groups), len(names))
    counts = ~np.isnan(values)

    def added(x: np.ndarray) -> np.ndarray:
        return np.bincount(cell[counts], x[counts], shape[0] * shape[1]).reshape(shape)

    return Tally(tuple(names.tolist()), added(values), added(np.ones(len(values))).astype(np.int64))


def encode(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """As JSON has it; sums are rounded to six decimals.

    Args:
        tallies: 'CONDITION/SCORE' -> what the score is made of.

    Returns:
        condition -> 'identities' [I], 'sums': score -> [V][I], and 'of': score -> [V][I].
    """
    conditions: dict[str, Any] = {}
    for key, (identities, sums, of) in tallies.items():
        condition, _, name = key.rpartition("/")
        own = conditions.setdefault(condition, {"identities": identities, "sums": {}, "of": {}})
        own["sums"][name], own["of"][name] = sums.round(6).tolist(), of.tolist()
    return conditions


def decode(conditions: Any) -> dict[str, Tally]:
    """What `encode` was given.

    Raises:
        ValueError: if it is something else, as may TypeError, LookupError and AttributeError.
    """
    return {
        f"{condition}/{name}": _checked(own["identities"], sums, own["of"][name])
        for condition, own in conditions.items()
        for name, sums in own["sums"].items()
    }


def _checked(identities: Any, sums: Any, of: Any) -> Tally:
    tally = Tally(tuple(identities), np.array(sums, np.float64), np.array(of, np.int64))
    shape = (len(tally.of), len(tally.identities))
    texts = all(isinstance(name, str) for name in tally.identities)
    if not texts or tally.sums.shape != shape or tally.of.shape != shape or not tally.of.any():
        raise ValueError("tallies of other identities")
    if not np.isfinite(tally.sums).all() or (tally.of < 0).any():
        raise ValueError("tallies of no numbers")
    return tally


def score(tally: Tally, weights: np.ndarray) -> np.ndarray:
    """The score, in percent, of samples that hold identities several times or not at all.

    Args:
        tally: of one score.
        weights: float64 [R, I], how often each sample holds each identity.

    Returns:
        float64 [R]; NaN where no probe is left.
    """
    sums, of = weights @ tally.sums.T, weights @ tally.of.T.astype(np.float64)
    shares = np.divide(sums, of, out=np.zeros_like(sums), where=of > 0)
    views = (of > 0).sum(1)
    total = shares.sum(1)
    mean = np.full(len(views), np.nan)
    np.divide(100 * total, views, out=mean, where=views > 0)
    return mean


def intervals(
    first: Mapping[str, Tally], other: Mapping[str, Tally], resamples: int, seed: int
) -> dict[str, tuple[float, float]]:
    """How much higher the scores of one network are than another's on the same probes, from to.

    That is a paired bootstrap over identities: each resample draws as many of the probes'
    identities as there are, with replacement, and takes the probes of these from both networks; the
    interval holds the middle COVERED percent of the differences. The gallery stays as it is. Efron
    and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Args:
        first: 'CONDITION/SCORE' -> what it is made of.
        other: the same of the other network.
        resamples: how many are drawn.
        seed: of the draws.

    Returns:
        'CONDITION/SCORE', and 'mean/SCORE' over the conditions -> percentage points, low and high.
    """
    names = sorted({name for tally in first.values() for name in tally.identities})
    columns = {key: np.searchsorted(names, tally.identities) for key, tally in first.items()}
    rng = np.random.default_rng(seed)
    gains: dict[str, list[np.ndarray]] = collections.defaultdict(list)
    for start in range(0, resamples, CHUNK):
        chances = np.full(len(names), 1 / len(names))
        draws = rng.multinomial(len(names), chances, min(CHUNK, resamples - start))
        weights = draws.astype(np.float64)
        for key, own in columns.items():
            gains[key].append(
                score(other[key], weights[:, own]) - score(first[key], weights[:, own])
            )
    drawn = {key: np.concatenate(x) for key, x in gains.items()}
    outside = (100 - COVERED) / 2
    return {
        key: tuple(np.nanpercentile(x, (outside, 100 - outside)).tolist())
        for key, x in _with_means(drawn).items()
    }


def _with_means(drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same, and the means over the conditions."""
    of_score: dict[str, list[np.ndarray]] = collections.defaultdict(list)
    for key, x in drawn.items():
        of_score[key.rpartition("/")[2]].append(x)
    return drawn | {f"mean/{name}": np.mean(x, axis=0) for name, x in of_score.items()}
