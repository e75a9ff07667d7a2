"""Who is searched for among whom, and the scores that follow from it."""

import dataclasses
import fnmatch
import functools
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from gaitjax.datasets import Protocol
from gaitjax.errors import UserError
from gaitjax.evaluation import metrics, ranking
from gaitjax.evaluation.ranking import Side

RANKS = (1, 5, 10)


class Table(NamedTuple):
    """Rank-1 of every pair of views.

    Attributes:
        probe_views: the rows.
        gallery_views: the columns.
        rank_1: float64 [rows, columns] in percent; NaN where no probe has the row's view.
        means: float64 [rows], over the gallery views that count; NaN where none does.
    """

    probe_views: tuple[str, ...]
    gallery_views: tuple[str, ...]
    rank_1: np.ndarray
    means: np.ndarray


@dataclasses.dataclass(frozen=True)
class Result:
    """The scores of a protocol.

    Attributes:
        description: the protocol and the metric in words.
        metric: 'euclidean' or 'cosine'.
        scores: 'CONDITION/rank-1' and so on, 'mean/...' over the conditions; percent.
        tables: condition -> view by view, where galleries of a single view are scored.
        gallery: number of gallery sequences.
        probes: condition -> number of probe sequences.
        left_out: condition -> what is left out of its scores: probes without a mate or, where
            galleries of a single view are scored, pairs of views without a probe.
        notes: sentences about what is left out or counted against the scores.
    """

    description: str
    metric: str
    scores: Mapping[str, float]
    tables: Mapping[str, Table]
    gallery: int
    probes: Mapping[str, int]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]


def from_config(fields: Mapping[str, Any], own: Protocol | None) -> Protocol:
    """The protocol that `config.evaluation.protocol` states.

    Args:
        fields: `gallery`, a sequence of patterns of types; `probes`, a sequence of
            'NAME=PATTERN|PATTERN', or of 'PATTERN' where the pattern is the name; `gallery_views`
            and `exclude` as in `gaitjax.datasets.Protocol`.
        own: the dataset's protocol, which holds as it is when gallery and probes are empty.

    Raises:
        UserError: for a field that is missing or has no meaning.
    """
    field = "config.evaluation.protocol"
    for name, known in (("gallery_views", ("single", "all")), ("exclude", ("view", "none"))):
        if fields[name] not in known:
            raise UserError(f"{field}.{name} is {fields[name]!r}; expected {' or '.join(known)}")
    gallery, probes = tuple(fields["gallery"]), tuple(fields["probes"])
    if not gallery and not probes and own is not None:
        return own
    if not gallery or not probes or not all(isinstance(p, str) for p in gallery + probes):
        raise UserError(
            f"{field}.gallery is {gallery} and .probes is {probes}; both need patterns of types "
            "in quotes, such as gallery=('nm-0[1-4]',) and probes=('NM=nm-05|nm-06', 'bg-*')"
        )
    conditions = [_condition(entry) for entry in probes]
    names = [name for name, _ in conditions]
    if len(set(names)) < len(names) or "mean" in names:
        raise UserError(
            f"{field}.probes names the conditions {', '.join(names)}; "
            "each needs a name of its own other than 'mean'"
        )
    return Protocol(gallery, dict(conditions), fields["gallery_views"], fields["exclude"])


def _condition(entry: str) -> tuple[str, tuple[str, ...]]:
    name, equals, patterns = entry.partition("=")
    parts = tuple((patterns if equals else entry).split("|"))
    if not name or not all(parts):
        raise UserError(
            f"config.evaluation.protocol.probes has {entry!r}; expected NAME=PATTERN|PATTERN, "
            "such as NM=nm-05|nm-06, or PATTERN"
        )
    return name, parts


def select(protocol: Protocol, types: Sequence[str]) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """The rows of the gallery, and of each condition's probes.

    Args:
        protocol: patterns of types.
        types: the type of each sequence.

    Returns:
        int64 [m], and condition -> int64 [n].

    Raises:
        UserError: if no type matches.
    """
    gallery = _matching(types, protocol.gallery, "the gallery")
    probes = {
        condition: _matching(types, patterns, f"the probes of {condition!r}")
        for condition, patterns in protocol.probes.items()
    }
    return gallery, probes


def _matching(types: Sequence[str], patterns: Sequence[str], purpose: str) -> np.ndarray:
    existing = sorted(set(types))
    found = {t for t in existing if any(fnmatch.fnmatchcase(t, p) for p in patterns)}
    if not found:
        some = ", ".join(existing[:10]) + (", ..." if len(existing) > 10 else "")
        raise UserError(
            f"{purpose} would be empty: no type of a sequence matches {'|'.join(patterns)}; "
            f"there are {some or 'no sequences at all'}. Set config.evaluation.protocol"
        )
    return np.flatnonzero([t in found for t in types])


def describe(protocol: Protocol, metric: str) -> str:
    """The protocol and the metric in words, for logs and files."""
    probes = ", ".join(f"{name}={'|'.join(p)}" for name, p in protocol.probes.items())
    galleries = {"single": "a gallery of each view", "all": "one gallery of all views"}
    excluded = {
        ("single", "view"): "identical views excluded from means",
        ("all", "view"): "entries of the probe's identity and view excluded",
    }.get((protocol.gallery_views, protocol.exclude), "nothing excluded")
    return (
        f"gallery {'|'.join(protocol.gallery)}; probes {probes}; "
        f"{galleries[protocol.gallery_views]}; {excluded}; {metric} distance"
    )


class _Views(NamedTuple):
    """Names of all views, and those among them that the probes and the gallery are seen from."""

    names: np.ndarray
    rows: np.ndarray
    columns: np.ndarray


class _Scored(NamedTuple):
    """What a condition adds to the `Result`."""

    scores: dict[str, float]
    table: Table | None
    left_out: int
    notes: list[str]


def evaluate(
    protocol: Protocol,
    embeddings: np.ndarray,
    identities: Sequence[str],
    types: Sequence[str],
    views: Sequence[str],
    metric: str,
) -> Result:
    """Scores the embeddings of N sequences.

    A gallery of all views gives rank-1, rank-5, rank-10, mAP and mINP; probes without a mate are
    left out. Galleries of a single view give rank-1, exactly as OpenGait does: a probe without a
    mate in the gallery's view counts as a miss; each pair of views is rounded to two decimals;
    the score is the mean over probe views of the means over gallery views.

    A sequence is never compared with itself. Of gallery entries at the same distance the first in
    the order of the sequences is the nearest.

    Args:
        protocol: who is probe and who is gallery.
        embeddings: [N, P, C].
        identities: N names.
        types: N names, which the protocol's patterns are matched with.
        views: N names.
        metric: 'euclidean' or 'cosine'.

    Raises:
        UserError: if gallery or probes are empty, nothing of a condition can be scored, an
            embedding is not finite, or the metric is unknown.
    """
    gallery_rows, probe_rows = select(protocol, types)
    _check_finite(embeddings, identities, types, views)
    identity_codes = np.unique(np.asarray(identities, str), return_inverse=True)[1]
    view_names, view_codes = np.unique(np.asarray(views, str), return_inverse=True)

    def side(rows: np.ndarray) -> Side:
        codes = (x.astype(np.int32) for x in (identity_codes[rows], view_codes[rows], rows))
        return Side(embeddings[rows], *codes)

    gallery = jax.device_put(side(gallery_rows))
    score = functools.partial(_score_all, exclude=protocol.exclude)
    if protocol.gallery_views == "single":
        all_probes = np.concatenate(list(probe_rows.values()))
        rows, columns = (np.unique(view_codes[r]) for r in (all_probes, gallery_rows))
        seen = _Views(view_names, rows.astype(np.int32), columns.astype(np.int32))
        score = functools.partial(_score_single, exclude=protocol.exclude, views=seen)
    scored = {
        condition: score(condition, side(rows), gallery, metric)
        for condition, rows in probe_rows.items()
    }
    return Result(
        description=describe(protocol, metric),
        metric=metric,
        scores=_with_mean({condition: s.scores for condition, s in scored.items()}),
        tables={c: s.table for c, s in scored.items() if s.table is not None},
        gallery=len(gallery_rows),
        probes={condition: len(rows) for condition, rows in probe_rows.items()},
        left_out={condition: s.left_out for condition, s in scored.items()},
        notes=tuple(note for s in scored.values() for note in s.notes),
    )


def _check_finite(embeddings: np.ndarray, *names: Sequence[str]) -> None:
    broken = np.flatnonzero(~np.isfinite(embeddings).all((1, 2)))
    if len(broken):
        first = "/".join(column[broken[0]] for column in names)
        raise UserError(
            f"{len(broken)} of {len(embeddings)} embeddings are not finite, the first is that of "
            f"{first}; look at its frames, or take an earlier checkpoint"
        )


def _with_mean(scores: dict[str, dict[str, float]]) -> dict[str, float]:
    flat = {f"{c}/{name}": value for c, own in scores.items() for name, value in own.items()}
    names = next(iter(scores.values()))
    mean = {f"mean/{name}": float(np.mean([s[name] for s in scores.values()])) for name in names}
    return flat | mean


def _score_all(condition: str, probe: Side, gallery: Side, metric: str, *, exclude: str) -> _Scored:
    rank = functools.partial(ranking.rank, metric=metric, exclude=exclude)
    first, precision, penalty = ranking.by_chunks(rank, probe, gallery)
    has_mate = first < len(gallery.row)
    n, total = int(has_mate.sum()), len(has_mate)
    if n == 0:
        raise UserError(
            f"none of the {total} probes of {condition!r} has a sequence of its identity in the "
            "gallery that counts; set config.evaluation.protocol"
        )
    hits = jax.device_get(metrics.cumulative_matches(first[has_mate], max(RANKS)))
    scores = {f"rank-{k}": float(100 * hits[k - 1] / n) for k in RANKS}
    scores["mAP"] = float(100 * precision[has_mate].mean(dtype=np.float64))
    scores["mINP"] = float(100 * penalty[has_mate].mean(dtype=np.float64))
    note = f"{condition}: {total - n} of {total} probes have no mate in the gallery; left out"
    return _Scored(scores, None, total - n, [note] if n < total else [])


def _score_single(
    condition: str, probe: Side, gallery: Side, metric: str, *, exclude: str, views: _Views
) -> _Scored:
    columns = jax.device_put(views.columns)
    rank = functools.partial(ranking.rank_by_view, views=columns, metric=metric)
    first = ranking.by_chunks(rank, probe, gallery)
    rank_1 = np.full((len(views.rows), len(views.columns)), np.nan)
    for i, view in enumerate(views.rows):
        seen = first[probe.view == view]
        if len(seen):
            rank_1[i] = np.round((seen == 0).sum(0) * 100 / len(seen), 2)
    pairs = (views.rows[:, None] != views.columns) | (exclude == "none")
    means = _means(rank_1, pairs)
    if np.isnan(means).all():
        raise UserError(
            f"no pair of views is left to score {condition!r}: its probes and the gallery share "
            "their only view; set config.evaluation.protocol.exclude=none"
        )
    searched = (probe.view[:, None] != views.columns) | (exclude == "none")
    misses = int(((first == len(gallery.row)) & searched).sum())
    left_out = int((np.isnan(rank_1) & pairs).sum())
    notes = [
        f"{condition}: {left_out} pairs of views have no probe; left out of the means",
        f"{condition}: {misses} of {searched.sum()} searches in the gallery of one view have no "
        "mate there; counted as misses",
    ]
    row_names, column_names = (tuple(views.names[x].tolist()) for x in (views.rows, views.columns))
    return _Scored(
        {"rank-1": float(np.nanmean(means))},
        Table(row_names, column_names, rank_1, means),
        left_out,
        [note for note, n in zip(notes, (left_out, misses), strict=True) if n],
    )


def _means(rank_1: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Means of the rows over the pairs of views that are scored; NaN where there is none."""
    scored = pairs & ~np.isnan(rank_1)
    means = np.full(len(rank_1), np.nan)
    total = np.where(scored, rank_1, 0).sum(1)
    np.divide(total, scored.sum(1), out=means, where=scored.any(1))
    return means
