"""Open-set figures of a gallery that does not hold everybody, with intervals.

Verification asks whether two walks are one person's: every pair of a probe and a gallery entry that
counts is genuine or impostor, and is accepted up to a distance. Identification asks who a probe is:
the nearest entry answers, if it is near enough; probes without a mate are strangers.

Only numbers of pairs up to THRESHOLDS distances are kept, so memory does not grow with the gallery.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from gaitjax.errors import UserError
from gaitjax.evaluation import ranking
from gaitjax.evaluation.ranking import Mates, Side
from gaitjax.training import mesh as meshes

THRESHOLDS = 2000  # genuine distances at most, evenly spaced by rank: steps of 0.05 %
POINTS = 200  # of a curve
INTERVAL = (2.5, 97.5)  # percentiles


class Options(NamedTuple):
    """What is asked for.

    Attributes:
        far: false accept rates, between 0 and 1; none: no open-set figures.
        resamples: draws of the bootstrap; 0: no intervals.
        seed: of the draws.
    """

    far: tuple[float, ...]
    resamples: int
    seed: int


class Rate(NamedTuple):
    """A share, its interval and the distance it is reached at.

    Attributes:
        percent: the share.
        low: of the interval of 95 %; NaN without resamples.
        high: likewise.
        threshold: pairs up to this distance are accepted.
    """

    percent: float
    low: float
    high: float
    threshold: float


class OpenSet(NamedTuple):
    """Open-set figures of a condition.

    Attributes:
        genuine: number of pairs of one person.
        impostor: number of pairs of two.
        strangers: number of probes without a mate in the gallery.
        equal_error: the lowest rate that neither false accepts nor false rejects exceed.
        accepted: FAR -> share of genuine pairs accepted where at most that share of impostor pairs
            is (TPR at FAR).
        identified: FAR -> share of probes with a mate whose nearest entry is one and near enough,
            where at most that share of strangers has an entry as near (DIR at FAR); empty without
            strangers.
        curve: float64 [2, up to POINTS]: false accept rates, ascending, and the share of genuine
            pairs accepted there; ROC, and 1 - the latter is DET.
    """

    genuine: int
    impostor: int
    strangers: int
    equal_error: Rate
    accepted: Mapping[float, Rate]
    identified: Mapping[float, Rate]
    curve: np.ndarray


class _Counts(NamedTuple):
    """Of each probe: int32 [n, T] pairs up to each threshold, and float [n]."""

    genuine: np.ndarray
    impostor: np.ndarray
    genuine_pairs: np.ndarray
    impostor_pairs: np.ndarray
    nearest: np.ndarray
    is_mate: np.ndarray


def from_config(fields: Mapping[str, Any]) -> Options:
    """What `config.evaluation.open_set` asks for.

    Raises:
        UserError: names the field of the config.
    """
    field = "config.evaluation.open_set"
    options = Options(tuple(fields["far"]), fields["resamples"], fields["seed"])
    if not all(isinstance(rate, float) and 0 < rate < 1 for rate in options.far):
        raise UserError(f"{field}.far is {options.far}; expected rates between 0 and 1: (0.01,)")
    for name in ("resamples", "seed"):
        if fields[name] < 0:
            raise UserError(f"{field}.{name} is {fields[name]}; expected 0 or more")
    return options


def score(
    probe: Side,
    gallery: Side,
    metric: str,
    exclude: str,
    options: Options,
    *,
    together: bool = False,
) -> OpenSet | None:
    """Open-set figures of probes in a gallery; None without genuine or without impostor pairs.

    Rates are exact up to THRESHOLDS genuine pairs, and from then on to a step of 1 / THRESHOLDS of
    the genuine pairs. The intervals hold for other persons as probes: whole identities are drawn
    with replacement, and thresholds chosen anew for every draw.

    Grother et al., "Face Recognition Vendor Test Part 2: Identification", NISTIR 8271 (2019).

    Args:
        probe: n sequences.
        gallery: m sequences.
        metric: 'euclidean' or 'cosine'.
        exclude: as in `ranking.rank`; 'whole view': no entry of the probe's view counts.
        options: false accept rates, and how intervals are drawn.
        together: as in `ranking.rank`.
    """
    mates = Mates.of(probe.identity, gallery.identity)
    sides = (mates.order, probe, gallery, metric, exclude, together)
    distance = ranking.by_blocks(_genuine(mates), *sides)
    thresholds = _thresholds(distance[~np.isnan(distance)])
    counts = _Counts(*ranking.by_blocks(_count(mates, thresholds), *sides))
    if not counts.genuine_pairs.any() or not counts.impostor_pairs.any():
        return None
    identities, codes = np.unique(probe.identity, return_inverse=True)
    weights = _draws(len(identities), options.resamples, options.seed)
    tradeoff = _tradeoff(counts, codes, weights)
    strangers = counts.genuine_pairs == 0
    return OpenSet(
        genuine=int(counts.genuine_pairs.sum(dtype=np.int64)),
        impostor=int(counts.impostor_pairs.sum(dtype=np.int64)),
        strangers=int(strangers.sum()),
        equal_error=_equal_error(*tradeoff, thresholds),
        accepted={rate: _accepted(*tradeoff, thresholds, rate) for rate in options.far},
        identified={rate: _identified(counts, weights[:, codes], rate) for rate in options.far}
        if strangers.any()
        else {},
        curve=_thin(tradeoff[0][0], tradeoff[1][0]),
    )


def _genuine(mates: Mates) -> Any:
    """Scores a block of probes by their distances to their mates, NaN for none."""
    width = mates.of_probes(mates.order[-1:]).shape[1]

    def score(distance: jax.Array, probes: np.ndarray, mesh: Mesh) -> jax.Array:
        own = _take(distance, jax.device_put(mates.of_probes(probes), meshes.split(mesh)))
        missing = ((0, 0), (0, width - own.shape[1]))
        return jnp.pad(own, missing, constant_values=jnp.nan)

    return score


def _count(mates: Mates, thresholds: np.ndarray) -> Any:
    """Scores a block of probes by `_Counts`."""

    def score(distance: jax.Array, probes: np.ndarray, mesh: Mesh) -> tuple[jax.Array, ...]:
        own = jax.device_put(mates.of_probes(probes), meshes.split(mesh))
        counts: tuple[jax.Array, ...] = _count_pairs(distance, own, thresholds)
        return counts

    return score


@jax.jit
def _take(distance: jax.Array, mates: jax.Array) -> jax.Array:
    return jnp.take_along_axis(distance, mates, 1, mode="fill", fill_value=jnp.nan)


@jax.jit
def _count_pairs(
    distance: jax.Array, mates: jax.Array, thresholds: jax.Array
) -> tuple[jax.Array, ...]:
    """The fields of `_Counts`, of distances [n, m] that are NaN where an entry does not count."""

    def up_to(row: jax.Array) -> jax.Array:
        return jnp.searchsorted(row.sort(), thresholds, side="right").astype(jnp.int32)

    own = _take(distance, mates)
    genuine, every = jax.vmap(up_to)(own), jax.vmap(up_to)(distance)
    pairs = [(~jnp.isnan(x)).sum(1, dtype=jnp.int32) for x in (own, distance)]
    counting = jnp.where(jnp.isnan(distance), jnp.inf, distance)
    nearest = counting.argmin(1)[:, None]
    is_mate = (mates == nearest).any(1)
    return genuine, every - genuine, pairs[0], pairs[1] - pairs[0], counting.min(1), is_mate


def _thresholds(genuine: np.ndarray) -> np.ndarray:
    """Genuine distances, ascending: all, or THRESHOLDS of them, the largest included."""
    ranked = np.unique(genuine)
    if len(ranked) <= THRESHOLDS:
        return ranked
    steps = np.arange(1, THRESHOLDS + 1) * len(genuine) // THRESHOLDS - 1
    return np.unique(np.sort(genuine)[steps])


def _draws(identities: int, resamples: int, seed: int) -> np.ndarray:
    """How often each identity is there, float64 [1 + resamples, identities]; first, each once."""
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(identities, np.full(identities, 1 / identities), resamples)
    return np.concatenate([np.ones((1, identities)), drawn])


def _tradeoff(
    counts: _Counts, codes: np.ndarray, weights: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Rates of false and of true accepts [draws, 1 + T], below every threshold and at each."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(weights.shape[1]))

    def rates(accepted: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        table = np.column_stack([accepted, pairs])[order]
        drawn = weights @ np.add.reduceat(table, starts, axis=0, dtype=np.float64)
        share = drawn[:, :-1] / np.maximum(drawn[:, -1:], 1)
        return np.pad(share, ((0, 0), (1, 0)))

    return (
        rates(counts.impostor, counts.impostor_pairs),
        rates(counts.genuine, counts.genuine_pairs),
    )


def _rate(values: np.ndarray, threshold: float) -> Rate:
    """A rate [draws], of which the first is of the probes as they are."""
    low, high = np.percentile(100 * values[1:], INTERVAL) if len(values) > 1 else (np.nan,) * 2
    return Rate(100 * float(values[0]), float(low), float(high), threshold)


def _equal_error(false: np.ndarray, true: np.ndarray, thresholds: np.ndarray) -> Rate:
    # False rejects fall at genuine distances alone, false accepts rise: one of those is the best.
    larger = np.maximum(false, 1 - true)
    return _rate(larger.min(1), _distance(thresholds, int(larger[0].argmin())))


def _accepted(false: np.ndarray, true: np.ndarray, thresholds: np.ndarray, far: float) -> Rate:
    last = (false <= far).sum(1) - 1
    values = np.take_along_axis(true, last[:, None], 1)[:, 0]
    return _rate(values, _distance(thresholds, int(last[0])))


def _distance(thresholds: np.ndarray, place: int) -> float:
    """Of a place in a trade-off, whose first accepts nothing: no distance is below 0."""
    return float(thresholds[place - 1]) if place else -1.0


def _identified(counts: _Counts, weights: np.ndarray, far: float) -> Rate:
    """DIR at a FAR over the draws [draws, n]."""
    stranger = counts.genuine_pairs == 0
    order = np.argsort(counts.nearest[stranger], kind="stable")
    reached = counts.nearest[stranger][order]
    found = np.where(counts.is_mate & ~stranger, counts.nearest, np.inf)
    limits, values = [], []
    for weight in weights:
        share = weight[stranger][order].cumsum() / max(weight[stranger].sum(), 1)
        refused = reached[share > far]  # the nearest of them is what may not be reached
        limits.append(refused[0] if len(refused) else np.inf)
        known = weight * ~stranger
        values.append(known @ (found < limits[-1]) / max(known.sum(), 1))
    return _rate(np.array(values), float(np.nextafter(limits[0], -np.inf)))


def _thin(false: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Up to POINTS points of a curve, evenly spaced in the logarithm of false accepts."""
    lowest = false[false > 0].min(initial=1)
    wanted = np.concatenate([[0], np.geomspace(lowest, 1, POINTS - 1)])
    places = np.unique(np.searchsorted(false, wanted, side="right") - 1)
    return np.stack([false[places], true[places]])
