"""What the page says: plain values for its template, section by section."""

import functools
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import jinja2
import markupsafe
import numpy as np

import gaitjax
from gaitjax.datasets import Protocol
from gaitjax.evaluation import report
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.evaluation.open_set import OpenSet
from gaitjax.evaluation.page import commit, ranks
from gaitjax.evaluation.page.pictures import Pictures, Readable, pictures
from gaitjax.evaluation.page.ranks import NOT_SCORED, RankList, Searches
from gaitjax.evaluation.page.text import printable
from gaitjax.evaluation.protocols import Result, Table

FAILURES, FEWEST = 36, 4  # lists of all conditions together; of each at least
OPEN = 4  # failures of each condition; the others wait for a click
SUCCESSES = 4  # lists of each condition
WEAKEST = 3  # views, pairs of views and identities that are named


class Material(NamedTuple):
    """All that a page is made of; see `page.write`."""

    result: Result
    protocol: Protocol
    embeddings: Embeddings
    sequences: Readable | None
    seed: int
    searches: Mapping[str, Searches]
    open_set: Mapping[str, OpenSet]

    def name(self, row: int) -> str:
        """Identity/type/view of a sequence."""
        names = (self.embeddings.identities, self.embeddings.types, self.embeddings.views)
        return "/".join(str(column[row]) for column in names)


def render(material: Material, plots: Mapping[str, Any], notes: list[str]) -> str:
    """The page as HTML.

    Args:
        material: what it is made of.
        plots: name -> `uri`, `alt` and `caption`.
        notes: what the plots leave out.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gaitjax.evaluation.page", "."),
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
    )
    facts = material.embeddings.facts
    network, dataset = (facts.get(key, f"unknown {key}") for key in ("network", "dataset"))
    lists = _lists(material)
    pictured = any(item.probe.pictures for group in lists["failures"] for item in group["lists"])
    return environment.get_template("template.html").render(
        title=f"{network} on {dataset}",
        subtitle=", ".join(f"{key} {facts[key]}" for key in ("step", "checkpoint") if key in facts),
        tiles=_tiles(material.result),
        **_scores(material.result),
        open_set=report.open_set_rows(material.open_set) if material.open_set else [],
        weak=[_weak(material, condition) for condition in material.searches],
        by_pair=material.protocol.gallery_views == "single",
        excluded=material.protocol.exclude == "view",
        tables=[_table(material, *item) for item in material.result.tables.items()],
        parts=[*_parts(material.result)],
        notes=[*material.result.notes, *notes, *_unpictured(material)],
        plots=plots,
        seed=material.seed,
        columns=ranks.SHOWN + 2,
        open=OPEN,
        pictured=pictured,
        why_not_pictured=_why_not_pictured(material),
        facts=[*_facts(material)],
        documents=[
            (name, json.dumps(value, indent=1, ensure_ascii=False))
            for name, value in facts.items()
            if isinstance(value, dict | list)
        ],
        **lists,
    )


def by_view(searches: Searches) -> dict[str, float]:
    """Probe view -> rank-1 in percent, weighed as the scores are; views that are scored."""
    rates = {}
    for view in np.unique(searches.views):
        own = searches.views == view
        weights = searches.weights[own]
        if weights.any():
            hits = searches.first[own] == 0
            rates[str(view)] = 100 * float((weights * hits).sum() / weights.sum())
    return rates


def _finalize(value: Any) -> Any:
    """What the template writes for a value."""
    is_text = isinstance(value, str) and not isinstance(value, markupsafe.Markup)
    return printable(value) if is_text else value


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.2f}"


def _tiles(result: Result) -> Iterator[dict[str, Any]]:
    """The first score of each condition."""
    score = _score_names(result)[0]
    values = {c: result.scores[f"{c}/{score}"] for c in _conditions(result)}
    weakest = min(result.probes, key=values.__getitem__) if len(result.probes) > 1 else None
    for name, value in values.items():
        shown = {"name": name, "value": _number(value), "score": score}
        yield {**shown, "weakest": name == weakest}


def _conditions(result: Result) -> list[str]:
    """All conditions and, of several, their mean."""
    return [*result.probes] + (["mean"] if len(result.probes) > 1 else [])


def _score_names(result: Result) -> list[str]:
    return list(dict.fromkeys(key.rpartition("/")[2] for key in result.scores))


def _scores(result: Result) -> dict[str, Any]:
    names = _score_names(result)
    rows = [
        {
            "name": condition,
            "sizes": [side.get(condition, "") for side in (result.gallery, result.probes)],
            "values": [_number(result.scores[f"{condition}/{name}"]) for name in names],
            "is_mean": condition == "mean",
        }
        for condition in _conditions(result)
    ]
    return {
        "protocol": result.description,
        "score_names": names,
        "scores": rows,
    }


def _weak(material: Material, condition: str) -> dict[str, Any]:
    """The views, pairs of views and identities of a condition that cost most."""
    searches = material.searches[condition]
    rates = by_view(searches)
    scored = searches.first != NOT_SCORED
    views = [
        f"{view}: {rates[view]:.1f} % of {int(scored[searches.views == view].sum())}"
        for view in sorted(rates, key=rates.__getitem__)[:WEAKEST]
        if rates[view] < 100
    ]
    missed = ranks.misses(searches, material.embeddings.identities)
    worst = sorted(missed, key=lambda name: -missed[name][0])[:WEAKEST]
    return {
        "name": condition,
        "views": views,
        "pairs": _weak_pairs(searches),
        "identities": [f"{n}: {missed[n][0]} of {missed[n][1]}" for n in worst if missed[n][0]],
    }


def _weak_pairs(searches: Searches) -> list[str]:
    pairs = []
    for view in np.unique(searches.views):
        first = searches.first[searches.views == view]
        for column, gallery in zip(first.T, searches.galleries, strict=True):
            own = column[column != NOT_SCORED]
            if (own > 0).any():
                rate = 100 * float((own == 0).mean())
                pairs.append((rate, f"{view} → {gallery}: {rate:.1f} % of {len(own)}"))
    return [text for _, text in sorted(pairs)[:WEAKEST]]


def _table(material: Material, condition: str, table: Table) -> dict[str, Any]:
    def row(view: str, values: np.ndarray, mean: float) -> dict[str, Any]:
        cells = [
            {
                "text": _number(value),
                "uncounted": material.protocol.exclude == "view" and view == other,
            }
            for value, other in zip(values, table.gallery_views, strict=True)
        ]
        return {"view": view, "cells": cells, "mean": _number(mean)}

    rows = zip(table.probe_views, table.rank_1, table.means, strict=True)
    return {
        "name": condition,
        "columns": table.gallery_views,
        "rows": [row(*values) for values in rows],
    }


def _parts(result: Result) -> Iterator[dict[str, Any]]:
    """The scores of each probe view, where a condition's scores are means of them."""
    for condition in result.probes:
        names = [n for n in _score_names(result) if f"{condition}/{n}" in result.by_view]
        parts = [result.by_view[f"{condition}/{name}"] for name in names]
        views = dict.fromkeys(view for part in parts for view in part)
        rows = [
            {"view": view, "values": [_number(part.get(view, math.nan)) for part in parts]}
            for view in views
        ]
        if rows:
            yield {"name": condition, "columns": names, "rows": rows}


class _Shown(NamedTuple):
    """A sequence on the page."""

    name: str
    pictures: Pictures | None


class _Entry(NamedTuple):
    sequence: _Shown
    distance: float
    is_mate: bool


class _List(NamedTuple):
    """A rank list on the page; the first mate only where it is not among the nearest."""

    heading: str
    position: int
    probe: _Shown
    nearest: list[_Entry]
    mate: _Entry | None


def _lists(material: Material) -> dict[str, list[dict[str, Any]]]:
    """Failures and successes, by condition."""
    number = max(FEWEST, FAILURES // len(material.searches))
    groups: dict[str, list[dict[str, Any]]] = {"failures": [], "successes": []}

    @functools.cache
    def shown(row: int) -> _Shown:
        images = None if material.sequences is None else pictures(material.sequences, row)
        return _Shown(material.name(row), images)

    for condition, searches in material.searches.items():
        scored = searches.first != NOT_SCORED
        failed, total = int((searches.first > 0).sum()), int(scored.sum())
        for kind, chosen, text in (
            ("failures", ranks.hardest(searches, number), f"{failed} of {total} searches fail"),
            (
                "successes",
                ranks.successes(searches, SUCCESSES, material.seed),
                f"{total - failed} of {total} searches succeed",
            ),
        ):
            metric = material.result.metric
            found = ranks.rank_lists(material.protocol, searches, chosen, metric)
            lists = [_list(of, shown) for of in found]
            text = f"{text}; {len(lists)} are shown"
            groups[kind].append({"name": condition, "text": text, "lists": lists})
    return groups


def _list(found: RankList, shown: Any) -> _List:
    def entry(of: ranks.Entry) -> _Entry:
        return _Entry(shown(of.row), of.distance, of.is_mate)

    place = f"the gallery seen from {found.gallery}" if found.gallery else "the gallery"
    probe = shown(found.probe)
    heading = f"{probe.name} in {place}: first mate at {found.position} of {found.size}"
    mate = entry(found.mate) if found.position > len(found.nearest) else None
    return _List(heading, found.position, probe, [entry(e) for e in found.nearest], mate)


def _why_not_pictured(material: Material) -> str:
    if material.sequences is None:
        return "the report was made from a file of embeddings, without the data"
    return "the data have no images that could be read, or no list is shown"


def _unpictured(material: Material) -> list[str]:
    if material.sequences is None:
        return [f"rank lists show names only: {_why_not_pictured(material)}"]
    return []


def _facts(material: Material) -> Iterator[tuple[str, str]]:
    """What was scored and how, a line each."""
    for name, value in material.embeddings.facts.items():
        if not isinstance(value, dict | list):
            yield {"data": "data fingerprint"}.get(name, name), str(value)
    shape = " x ".join(map(str, material.embeddings.embeddings.shape))
    yield "embeddings", f"{shape}: sequences x parts x channels"
    yield "protocol", material.result.description
    yield "seed of this page", str(material.seed)
    yield "commit of gaitjax", commit.of(gaitjax.__file__)
