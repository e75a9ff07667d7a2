"""A `Result` as text, as files, and as scalars."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from gaitjax import files
from gaitjax.evaluation import tallies
from gaitjax.evaluation.open_set import OpenSet, Rate
from gaitjax.evaluation.protocols import Result, Table


def lines(result: Result) -> list[str]:
    """The result as text for a log: scores, tables of views, and what was left out."""
    names = list(dict.fromkeys(key.rpartition("/")[2] for key in result.scores))
    sizes = {"gallery": result.gallery, "probes": result.probes}
    sizes = sizes if result.gallery else {"sequences": result.probes}
    rows = [["condition", *sizes, *names]]
    for condition in [*result.probes, "mean"]:
        scores = (result.scores.get(f"{condition}/{name}") for name in names)
        rows.append(
            [
                condition,
                *(str(size.get(condition, "")) for size in sizes.values()),
                *("" if score is None else f"{score:.2f}" for score in scores),
            ]
        )
    text = [f"{result.description}; scores in percent", *_aligned(rows)]
    for score, values in result.by_view.items():
        text.append(f"{score} of the probes of each view")
        text += _aligned([["", *values], ["", *(f"{x:.2f}" for x in values.values())]])
    for condition, table in result.tables.items():
        text.append(f"{condition}: rank-1, a row for each probe view, a column for a gallery view")
        text += _aligned(list(_view_rows(table)))
    return text + _open_set_lines(result) + list(result.notes)


def _open_set_lines(result: Result) -> list[str]:
    if not result.open_set:
        return []
    rows = _aligned(open_set_rows(result.open_set))
    return ["open set: pairs, probes without a mate, and rates with intervals", *rows]


def open_set_rows(found: Mapping[str, OpenSet]) -> list[list[str]]:
    """A table of open-set figures: the names of its columns, then a row a condition."""
    columns = {condition: _open_set_rates(own) for condition, own in found.items()}
    names = list(dict.fromkeys(name for rates in columns.values() for name in rates))
    rows = [["", "genuine", "impostor", "strangers", *names]]
    for condition, own in found.items():
        sizes = map(str, (own.genuine, own.impostor, own.strangers))
        rates = (columns[condition].get(name) for name in names)
        rows.append([condition, *sizes, *(_interval(rate) if rate else "-" for rate in rates)])
    return rows


def _open_set_rates(found: OpenSet) -> dict[str, Rate]:
    """Name -> rate."""
    accepted = {f"TPR@FAR={far:g}": rate for far, rate in found.accepted.items()}
    identified = {f"DIR@FAR={far:g}": rate for far, rate in found.identified.items()}
    return {"EER": found.equal_error, **accepted, **identified}


def _interval(rate: Rate) -> str:
    interval = "" if math.isnan(rate.low) else f" ({rate.low:.2f} to {rate.high:.2f})"
    return f"{rate.percent:.2f}{interval}"


def _view_rows(table: Table) -> Iterator[list[str]]:
    yield ["", *table.gallery_views, "mean"]
    for view, values, mean in zip(table.probe_views, table.rank_1, table.means, strict=True):
        yield [view, *("-" if math.isnan(x) else f"{x:.2f}" for x in (*values, mean))]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of equal width, the first to the left and numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  " + "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])])
        for row in rows
    ]


def scalars(result: Result) -> dict[str, float]:
    """Every score and, where it is a mean over probe views, that of each, for TensorBoard."""
    means = {
        f"{condition}/rank-1/{view}": float(mean)
        for condition, table in result.tables.items()
        for view, mean in zip(table.probe_views, table.means, strict=True)
        if not math.isnan(mean)
    }
    parts = {
        f"{score}/{view}": value
        for score, values in result.by_view.items()
        for view, value in values.items()
    }
    return {**result.scores, **means, **parts}


def write(result: Result, folder: Path, name: str, facts: Mapping[str, Any]) -> None:
    """Writes `name`.json and `name`.csv, each whole or not at all.

    Args:
        result: what is written.
        folder: where; made if it is missing.
        name: of the files, without ending.
        facts: what else the JSON says, such as step, config, checkpoint and data.

    Raises:
        UserError: if the folder cannot be written to.
    """
    head = json.dumps({**facts, **_as_json(result)}, indent=1).removesuffix("\n}")
    by_identity = json.dumps(tallies.encode(result.tallies))  # many numbers, in one line
    text = f'{head},\n "{tallies.BY_IDENTITY}": {by_identity}\n}}\n'
    files.replace(folder / f"{name}.json", text.encode())
    table = io.StringIO()
    csv.writer(table).writerows(_csv_rows(result))
    files.replace(folder / f"{name}.csv", table.getvalue().encode())


def _as_json(result: Result) -> dict[str, Any]:
    tables = {
        condition: {
            "probe_views": table.probe_views,
            "gallery_views": table.gallery_views,
            "rank-1": [[_number(x) for x in row] for row in table.rank_1],
            "mean": [_number(x) for x in table.means],
        }
        for condition, table in result.tables.items()
    }
    return {
        "protocol": result.description,
        "metric": result.metric,
        "scores": result.scores,
        "gallery": result.gallery,
        "probes": result.probes,
        "left_out": result.left_out,
        "by_view": result.by_view,
        "notes": result.notes,
        "tables": tables,
        "open_set": {c: _open_set_json(found) for c, found in result.open_set.items()},
    }


def _open_set_json(found: OpenSet) -> dict[str, Any]:
    rates = {
        name: {field: _number(x) for field, x in rate._asdict().items()}
        for name, rate in _open_set_rates(found).items()
    }
    pairs = {name: getattr(found, name) for name in ("genuine", "impostor", "strangers")}
    return {**pairs, **rates, "curve": found.curve.tolist()}


def _number(x: float) -> float | None:
    return None if math.isnan(x) else float(x)  # JSON has no NaN


def _csv_rows(result: Result) -> Iterator[Sequence[object]]:
    """A row a number; without a view it is the mean over those views."""
    yield "condition", "probe view", "gallery view", "metric", "value"
    for key, value in result.scores.items():
        condition, _, name = key.rpartition("/")
        yield condition, "", "", name, value
        for view, part in result.by_view.get(key, {}).items():
            yield condition, view, "", name, part
    for condition, table in result.tables.items():
        for view, values, mean in zip(table.probe_views, table.rank_1, table.means, strict=True):
            for other, x in zip((*table.gallery_views, ""), (*values, mean), strict=True):
                if not math.isnan(x):
                    yield condition, view, other, "rank-1", float(x)
    for condition, found in result.open_set.items():
        for name, rate in _open_set_rates(found).items():
            yield condition, "", "", name, rate.percent
