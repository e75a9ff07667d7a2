"""Who is searched for among whom, and the scores that follow from it."""

import dataclasses
import fnmatch
import glob
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from gaitjax.datasets import Protocol
from gaitjax.errors import UserError, some
from gaitjax.evaluation import metrics, ranking
from gaitjax.evaluation import open_set as open_sets
from gaitjax.evaluation.open_set import OpenSet
from gaitjax.evaluation.ranking import Side
from gaitjax.evaluation.tallies import Tally, tally

FIELD = "config.evaluation.protocol"  # for messages
NO_MATE = metrics.NO_MATE  # in place of the position of a mate that there is not


class Rows(NamedTuple):
    """The sequences of a condition: int64 [m] and int64 [n], ascending."""

    gallery: np.ndarray
    probes: np.ndarray


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
        metric: 'euclidean' or 'cosine'; '' where nothing is ranked.
        scores: 'CONDITION/rank-1' and so on, 'mean/...' over the conditions; percent. The first is
            the one that the field reports.
        tables: condition -> view by view, where galleries of a single view are scored.
        by_view: score -> view of the probes -> its part of the score, where it is the mean over
            the views of the probes and the gallery is of all views.
        gallery: condition -> number of gallery sequences; empty where nothing is ranked.
        probes: condition -> number of probe sequences.
        left_out: condition -> what is left out of its scores: probes without a mate or, where
            galleries of a single view are scored, pairs of views without a probe.
        notes: sentences about what is left out or counted against the scores.
        tallies: 'CONDITION/rank-1' and so on -> what it is made of, by identity.
        open_set: condition -> open-set figures, where they are asked for and there are any.
    """

    description: str
    metric: str
    scores: Mapping[str, float]
    tables: Mapping[str, Table]
    by_view: Mapping[str, Mapping[str, float]]
    gallery: Mapping[str, int]
    probes: Mapping[str, int]
    left_out: Mapping[str, int]
    notes: tuple[str, ...]
    tallies: Mapping[str, Tally] = dataclasses.field(default_factory=dict)
    open_set: Mapping[str, OpenSet] = dataclasses.field(default_factory=dict)

    @property
    def main(self) -> str:
        """The name of the score that the field reports, such as 'rank-1'."""
        return next(iter(self.scores)).rpartition("/")[2]


def from_config(
    fields: Mapping[str, Any],
    own: Mapping[str, Protocol],
    lists: Mapping[str, Sequence[str]],
) -> Protocol:
    """The protocol that `config.evaluation.protocol` states or chooses.

    Args:
        fields: `name` of one of the dataset's protocols, or those of `gaitjax.datasets.Protocol`:
            `probes` a sequence of 'NAME=PATTERN|PATTERN', or of 'PATTERN' where the pattern is the
            name; `gallery` a sequence of patterns, or of 'NAME=PATTERN|PATTERN' for each condition.
        own: the dataset's protocols, of which one holds as it is when gallery and probes are empty.
        lists: what the partition JSON lists: key -> names of sequences.

    Raises:
        UserError: for a field that is missing or has no meaning, or a list that there is not.
    """
    if fields["name"] or (own and not fields["gallery"] and not fields["probes"]):
        return _fill(_named(fields, own), lists)
    probes = _conditions(fields, "probes")
    names = [name for name, _ in probes]
    if len(set(names)) < len(names) or "mean" in names:
        raise UserError(
            f"{FIELD}.probes names the conditions {', '.join(names)}; "
            "each needs a name of its own other than 'mean'"
        )
    stated = {f.name: fields[f.name] for f in dataclasses.fields(Protocol)}
    gallery = _conditions(fields, "gallery")
    of_conditions = any("=" in entry for entry in fields["gallery"])
    stated["gallery"] = dict(gallery) if of_conditions else tuple(fields["gallery"])
    try:
        return _fill(Protocol(**{**stated, "probes": dict(probes)}), lists)
    except UserError as error:
        raise UserError(f"{FIELD}.{error}") from error


def _named(fields: Mapping[str, Any], own: Mapping[str, Protocol]) -> Protocol:
    """One of the dataset's protocols; the first where no name is given."""
    name = fields["name"] or next(iter(own))
    if name not in own:
        raise UserError(
            f"{FIELD}.name is {name!r}; the dataset has {', '.join(own) or 'no protocol'}"
        )
    if fields["gallery"] or fields["probes"]:
        raise UserError(
            f"{FIELD}.name is {name!r}, but .gallery or .probes is stated too; give one of both"
        )
    return own[name]


def _conditions(fields: Mapping[str, Any], side: str) -> list[tuple[str, tuple[str, ...]]]:
    """The entries of `gallery` or `probes`, as names and their patterns."""
    entries = fields[side]
    if not entries or not all(isinstance(entry, str) for entry in entries):
        raise UserError(
            f"{FIELD}.{side} is {entries!r}; gallery and probes both need patterns of types in "
            "quotes, such as gallery=('nm-0[1-4]',) and probes=('NM=nm-05|nm-06', 'bg-*')"
        )
    return [_condition(entry, side) for entry in entries]


def _condition(entry: str, side: str) -> tuple[str, tuple[str, ...]]:
    name, equals, patterns = entry.partition("=")
    parts = tuple((patterns if equals else entry).split("|"))
    if not name or not all(parts):
        raise UserError(
            f"{FIELD}.{side} has {entry!r}; expected NAME=PATTERN|PATTERN, "
            "such as NM=nm-05|nm-06, or PATTERN"
        )
    return name, parts


def _fill(protocol: Protocol, lists: Mapping[str, Sequence[str]]) -> Protocol:
    """The protocol with the names that the partition JSON lists in place of `{KEY}`."""

    def filled(patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for pattern in patterns for name in _names(pattern, lists))

    gallery = protocol.gallery
    return dataclasses.replace(
        protocol,
        gallery={c: filled(p) for c, p in gallery.items()}
        if isinstance(gallery, Mapping)
        else filled(gallery),
        probes={c: filled(p) for c, p in protocol.probes.items()},
    )


def _names(pattern: str, lists: Mapping[str, Sequence[str]]) -> list[str]:
    found = re.fullmatch(r"(!?)\{(.*)\}", pattern)
    if not found:
        return [pattern]
    if found[2] not in lists:
        raise UserError(
            f"the protocol needs the list {found[2]} of the partition JSON, which has "
            f"{', '.join(lists) or 'none'} beside TRAIN_SET and TEST_SET; take "
            f"config.data.partition from those who publish the data, or state {FIELD}"
        )
    return [found[1] + glob.escape(name) for name in lists[found[2]]]


def select(
    protocol: Protocol,
    identities: Sequence[str],
    types: Sequence[str],
    views: Sequence[str],
) -> dict[str, Rows]:
    """The rows of each condition's gallery and probes.

    Args:
        protocol: patterns of sequences.
        identities: the name of each sequence's person.
        types: the type of each sequence.
        views: the view of each sequence.

    Raises:
        UserError: if there is no sequence for one of them.
    """
    try:
        names = [
            protocol.match.format(identity=i, type=t, view=v)
            for i, t, v in zip(identities, types, views, strict=True)
        ]
    except (LookupError, ValueError, AttributeError) as error:
        raise UserError(
            f"{FIELD}.match is {protocol.match!r}; expected names made from {{identity}}, {{type}} "
            "and {view}"
        ) from error
    return {
        condition: Rows(
            _matching(names, protocol.gallery_of(condition), f"the gallery of {condition!r}"),
            _matching(names, patterns, f"the probes of {condition!r}"),
        )
        for condition, patterns in protocol.probes.items()
    }


def _matching(names: Sequence[str], patterns: Sequence[str], purpose: str) -> np.ndarray:
    existing = sorted(set(names))
    without = [p[1:] for p in patterns if p.startswith("!")]
    found = _matched(existing, [p for p in patterns if not p.startswith("!")])
    found -= _matched(existing, without)
    if not found:
        raise UserError(
            f"{purpose} would be empty: no sequence matches {some(patterns, '|')}; "
            f"there are {some(existing) or 'no sequences at all'}. Set {FIELD}"
        )
    return np.flatnonzero([name in found for name in names])


def _matched(names: Sequence[str], patterns: Sequence[str]) -> set[str]:
    """The names that one of the patterns matches; many patterns without a wildcard are quick."""
    wild = [p for p in patterns if any(c in p for c in "*?[")]
    return set(patterns).intersection(names).union(*(fnmatch.filter(names, p) for p in wild))


def viewpoints(
    protocol: Protocol,
    identities: Sequence[str],
    types: Sequence[str],
    views: Sequence[str],
) -> np.ndarray:
    """What counts as the view of each sequence: a viewpoint, or a camera.

    Args:
        protocol: of which `viewpoint` counts.
        identities: as in `select`.
        types: as in `select`.
        views: as in `select`.

    Returns:
        str [N].

    Raises:
        UserError: if that is no expression with a group, or a name does not match it.
    """
    names = ["/".join(name) for name in zip(identities, types, views, strict=True)]
    try:
        found = [re.search(protocol.viewpoint, name) for name in names]
        if None in found:
            raise UserError(
                f"{names[found.index(None)]} does not match {FIELD}.viewpoint, "
                f"{protocol.viewpoint!r}; expected the viewpoint in the group of the expression"
            )
        return np.array([match[1] for match in found if match], str)
    except (re.error, IndexError) as error:
        raise UserError(
            f"{FIELD}.viewpoint is {protocol.viewpoint!r}; expected a regular expression with a "
            "group, to be searched in identity/type/view"
        ) from error


def describe(protocol: Protocol, metric: str) -> str:
    """The protocol and the metric in words, for logs and files."""

    def told(patterns: Mapping[str, tuple[str, ...]]) -> str:
        return ", ".join(f"{name}={some(p, '|')}" for name, p in patterns.items())

    gallery = protocol.gallery
    words = [
        f"gallery {told(gallery) if isinstance(gallery, Mapping) else some(gallery, '|')}",
        f"probes {told(protocol.probes)}",
        {"single": "a gallery of each view", "all": "one gallery of all views"}[
            protocol.gallery_views
        ],
        {
            ("single", "view"): "identical views excluded from means",
            ("all", "view"): "entries of the probe's identity and view excluded",
        }.get((protocol.gallery_views, protocol.exclude), "nothing excluded"),
    ]
    if protocol.gallery_views == "all" and protocol.average == "views":
        words.append("means over the views of the probes")
    if protocol.gallery_views == "all" and protocol.unmatched == "miss":
        words.append("probes without a mate are misses")
    return "; ".join([*words, f"{metric} distance"])


class _Search(NamedTuple):
    """A condition, its sides, and how they are scored.

    Attributes:
        identities: str [n], of the probes.
        view_names: what the numbers of views stand for.
        searched_from: int32 [R], the views of all conditions' probes.
    """

    condition: str
    probe: Side
    gallery: Side
    identities: np.ndarray
    view_names: np.ndarray
    searched_from: np.ndarray
    protocol: Protocol
    metric: str


class _Scored(NamedTuple):
    """What a condition adds to the `Result`."""

    scores: dict[str, float]
    table: Table | None
    by_view: dict[str, dict[str, float]]
    left_out: int
    notes: list[str]
    tallies: dict[str, Tally]


def evaluate(
    protocol: Protocol,
    embeddings: np.ndarray,
    identities: Sequence[str],
    types: Sequence[str],
    views: Sequence[str],
    metric: str,
    asked: open_sets.Options | None = None,
) -> Result:
    """Scores the embeddings of N sequences.

    A gallery of all views gives the protocol's ranks, mAP and mINP. Galleries of a single view give
    its ranks, exactly as OpenGait does: a probe without a mate in the gallery's view counts as a
    miss; each pair of views is rounded to two decimals; the score is the mean over probe views of
    the means over gallery views.

    A sequence is never compared with itself. Of gallery entries at the same distance the first in
    the order of the sequences is the nearer.

    Args:
        protocol: who is probe and who is gallery.
        embeddings: [N, P, C].
        identities: N names.
        types: N names.
        views: N names.
        metric: 'euclidean' or 'cosine'.
        asked: which open-set figures are added, if any; every pair counts in them that counts in a
            ranking, so that galleries of a single view are taken together.

    Raises:
        UserError: if gallery or probes are empty, nothing of a condition can be scored, an
            embedding is not finite, or the metric is unknown.
    """
    names = (identities, types, views)
    searches = _searches(protocol, embeddings, names, metric)
    score = _score_single if protocol.gallery_views == "single" else _score_all
    scored = {search.condition: score(search) for search in searches}
    sides = {search.condition: (search.probe, search.gallery) for search in searches}
    opened = open_set(protocol, sides, metric, asked, together=True) if asked and asked.far else {}
    return Result(
        description=describe(protocol, metric),
        metric=metric,
        scores=with_mean({condition: s.scores for condition, s in scored.items()}),
        tables={c: s.table for c, s in scored.items() if s.table is not None},
        by_view={f"{c}/{name}": x for c, s in scored.items() for name, x in s.by_view.items()},
        gallery={condition: len(gallery.row) for condition, (_, gallery) in sides.items()},
        probes={condition: len(probe.row) for condition, (probe, _) in sides.items()},
        left_out={condition: s.left_out for condition, s in scored.items()},
        notes=tuple(note for s in scored.values() for note in s.notes),
        tallies={f"{c}/{name}": x for c, s in scored.items() for name, x in s.tallies.items()},
        open_set=opened,
    )


def _searches(
    protocol: Protocol,
    embeddings: np.ndarray,
    names: tuple[Sequence[str], Sequence[str], Sequence[str]],
    metric: str,
) -> list[_Search]:
    """The search of each condition."""
    selected = select(protocol, *names)
    check_finite(embeddings, *names)
    identities = np.asarray(names[0], str)
    identity_codes = np.unique(identities, return_inverse=True)[1]
    view_names, view_codes = np.unique(viewpoints(protocol, *names), return_inverse=True)

    def side(rows: np.ndarray) -> Side:
        codes = (x.astype(np.int32) for x in (identity_codes[rows], view_codes[rows], rows))
        return Side(embeddings, *codes)

    all_probes = np.concatenate([rows.probes for rows in selected.values()])
    searched_from = np.unique(view_codes[all_probes]).astype(np.int32)
    return [
        _Search(
            condition,
            side(rows.probes),
            side(rows.gallery),
            identities[rows.probes],
            view_names,
            searched_from,
            protocol,
            metric,
        )
        for condition, rows in selected.items()
    ]


def open_set(
    protocol: Protocol,
    sides: Mapping[str, tuple[Side, Side]],
    metric: str,
    asked: open_sets.Options,
    *,
    together: bool = False,
) -> dict[str, OpenSet]:
    """Open-set figures by condition, where it has pairs of one person and of two.

    Args:
        protocol: whose pairs count.
        sides: condition -> probes and gallery.
        metric: 'euclidean' or 'cosine'.
        asked: which figures.
        together: as in `ranking.rank`.
    """
    by_view = protocol.gallery_views == "single" and protocol.exclude == "view"
    exclude = "whole view" if by_view else protocol.exclude
    found = {}
    for condition, (probe, gallery) in sides.items():
        own = open_sets.score(probe, gallery, metric, exclude, asked, together=together)
        if own is not None:
            found[condition] = own
    return found


def check_finite(embeddings: np.ndarray, *names: Sequence[str]) -> None:
    """Refuses embeddings that have no distances.

    Args:
        embeddings: [N, P, C].
        names: N each: identities, types and views.

    Raises:
        UserError: if one is not finite; names the first.
    """
    broken = np.flatnonzero(~np.isfinite(embeddings).all((1, 2)))
    if len(broken):
        first = "/".join(column[broken[0]] for column in names)
        raise UserError(
            f"{len(broken)} of {len(embeddings)} embeddings are not finite, the first is that of "
            f"{first}; look at its frames, or take an earlier checkpoint"
        )


def with_mean(scores: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Condition -> name -> score as 'CONDITION/NAME', and as 'mean/NAME' their means."""
    flat = {f"{c}/{name}": value for c, own in scores.items() for name, value in own.items()}
    names = dict.fromkeys(name for own in scores.values() for name in own)
    parts = {name: [own[name] for own in scores.values() if name in own] for name in names}
    return flat | {f"mean/{name}": float(np.mean(values)) for name, values in parts.items()}


def _score_all(search: _Search) -> _Scored:
    """Scores in one gallery of all views."""
    protocol, sides = search.protocol, (search.probe, search.gallery)
    first, precision, penalty = ranking.rank(*sides, search.metric, protocol.exclude, together=True)
    has_mate = first != NO_MATE
    n, total = int(has_mate.sum()), len(has_mate)
    if n == 0:
        raise UserError(
            f"none of the {total} probes of {search.condition!r} has a sequence of its identity in "
            f"the gallery that counts; set {FIELD}"
        )
    counts = has_mate | (protocol.unmatched == "miss")
    values = {f"rank-{k}": np.where(counts, first < k, np.nan) for k in protocol.ranks}
    values["mAP"] = np.where(has_mate, precision, np.nan)
    values["mINP"] = np.where(has_mate, penalty, np.nan)
    scores, by_view = _averages(values, search)
    fate = "left out" if protocol.unmatched == "skip" else "misses, but left out of mAP and mINP"
    note = f"{search.condition}: {total - n} of {total} probes have no mate in the gallery; {fate}"
    left_out = total - int(counts.sum())
    views = search.probe.view if protocol.average == "views" else np.zeros(total)
    tallies = {name: tally(x, search.identities, views) for name, x in values.items()}
    return _Scored(scores, None, by_view, left_out, [note] if n < total else [], tallies)


def _averages(
    values: dict[str, np.ndarray], search: _Search
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Percentages, and those of each view where they are averaged; NaN is left out."""
    if search.protocol.average == "probes":
        return {name: 100 * _mean(x) for name, x in values.items()}, {}
    by_view: dict[str, dict[str, float]] = {name: {} for name in values}
    for view in np.unique(search.probe.view):
        own = search.probe.view == view
        for name, x in values.items():
            if not np.isnan(x[own]).all():
                by_view[name][search.view_names[view]] = round(100 * _mean(x[own]), 2)
    return {name: float(np.mean(list(x.values()))) for name, x in by_view.items()}, by_view


def _mean(x: np.ndarray) -> float:
    return float(x[~np.isnan(x)].mean(dtype=np.float64))


def _score_single(search: _Search) -> _Scored:
    """Scores in galleries of a single view."""
    probe, protocol = search.probe, search.protocol
    rows, columns = search.searched_from, np.unique(search.gallery.view)
    first = ranking.rank_by_view(probe, search.gallery, columns, search.metric, together=True)
    pairs = (rows[:, None] != columns) | (protocol.exclude == "none")
    rank_1 = _cells(first, probe.view, rows, 1)
    means = _means(rank_1, pairs)
    if np.isnan(means).all():
        raise UserError(
            f"no pair of views is left to score {search.condition!r}: its probes and the gallery "
            f"share their only view; set {FIELD}.exclude=none"
        )
    scores = {
        f"rank-{k}": float(np.nanmean(_means(_cells(first, probe.view, rows, k), pairs)))
        for k in protocol.ranks
    }
    searched = (probe.view[:, None] != columns) | (protocol.exclude == "none")
    misses = int(((first == NO_MATE) & searched).sum())
    left_out = int((np.isnan(rank_1) & pairs).sum())
    notes = [
        f"{search.condition}: {left_out} pairs of views have no probe; left out of the means",
        f"{search.condition}: {misses} of {searched.sum()} searches in the gallery of one view "
        "have no mate there; counted as misses",
    ]
    row_names, column_names = (tuple(search.view_names[x].tolist()) for x in (rows, columns))
    return _Scored(
        scores,
        Table(row_names, column_names, rank_1, means),
        {},
        left_out,
        [note for note, n in zip(notes, (left_out, misses), strict=True) if n],
        {
            f"rank-{k}": tally(_shares(first < k, searched), search.identities, probe.view)
            for k in protocol.ranks
        },
    )


def _shares(hits: np.ndarray, searched: np.ndarray) -> np.ndarray:
    """Of each probe's searches [n, V] those that hit [n]; NaN where none counts."""
    number = searched.sum(1)
    shares = np.full(len(number), np.nan)
    np.divide((hits & searched).sum(1), number, out=shares, where=number > 0)
    return shares


def _cells(first: np.ndarray, views: np.ndarray, rows: np.ndarray, rank: int) -> np.ndarray:
    """Percentages of the searches with a mate up to a rank [rows, V]; NaN where none is made."""
    cells = np.full((len(rows), first.shape[1]), np.nan)
    for i, view in enumerate(rows):
        seen = first[views == view]
        if len(seen):
            cells[i] = np.round((seen < rank).sum(0) * 100 / len(seen), 2)
    return cells


def _means(rank_1: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """Means of the rows over the pairs of views that are scored; NaN where there is none."""
    scored = pairs & ~np.isnan(rank_1)
    means = np.full(len(rank_1), np.nan)
    total = np.where(scored, rank_1, 0).sum(1)
    np.divide(total, scored.sum(1), out=means, where=scored.any(1))
    return means
