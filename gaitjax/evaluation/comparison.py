"""Several results side by side, with the differences to the first and how sure they are."""

import csv
import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gaitjax.errors import UserError
from gaitjax.evaluation import tallies
from gaitjax.evaluation.tallies import BY_IDENTITY, Tally

JSON_BYTES = 2**28  # of a file; that of 5,000 identities seen from 14 views takes 2**21


class Scored(NamedTuple):
    """What a JSON file of `gaitjax.evaluate` says.

    Attributes:
        name: what it is called in a table.
        task: what has to be the same for scores to be compared: dataset, protocol, and how many
            sequences the galleries and probes have.
        metric: 'euclidean' or 'cosine', or '' where nothing is ranked.
        scores: 'CONDITION/SCORE' -> percent.
        tallies: the same -> what it is made of, for those that are averages over probes.
    """

    name: str
    task: dict[str, Any]
    metric: str
    scores: dict[str, float]
    tallies: dict[str, Tally]


class Cell(NamedTuple):
    """A score, and what it is beside the first: percentage points, and from where to where."""

    score: float
    difference: float | None = None
    interval: tuple[float, float] | None = None


class Comparison(NamedTuple):
    """Several results.

    Attributes:
        names: of the results.
        rows: 'CONDITION/SCORE' -> a cell for each of them.
        notes: sentences about how the numbers came about.
    """

    names: tuple[str, ...]
    rows: dict[str, list[Cell]]
    notes: list[str]


def read(path: Path) -> Scored:
    """Reads a result.

    Args:
        path: a JSON file of `gaitjax.evaluate`, or a run's folder, whose latest one is taken.

    Raises:
        UserError: if there is none, or it is something else; names the file.
    """
    file = _latest(path) if path.is_dir() else path
    try:
        with file.open("rb") as opened:
            content = json.loads(opened.read(JSON_BYTES))
        return _scored(str(path), content)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}; check it") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(
            f"{file} is no result that this gaitjax compares ({type(error).__name__}: "
            f"{str(error)[:80]}); expected a JSON file of gaitjax.evaluate: evaluate again"
        ) from error


def _latest(folder: Path) -> Path:
    found = {
        int(match[1]): path
        for path in folder.iterdir()
        if (match := re.fullmatch(r"evaluation-(\d+)\.json", path.name))
    }
    if not found:
        raise UserError(f"{folder} holds no evaluation-STEP.json; run gaitjax.evaluate on it first")
    return found[max(found)]


def _scored(name: str, content: Any) -> Scored:
    metric = str(content["metric"])
    task = {
        "dataset": content["config"]["data"]["dataset"],
        "protocol": content["protocol"].removesuffix(f"; {metric} distance"),
        "gallery": content["gallery"],
        "probes": content["probes"],
    }
    scores = {str(key): float(value) for key, value in content["scores"].items()}
    return Scored(name, task, metric, scores, tallies.decode(content[BY_IDENTITY]))


def compare(results: Sequence[Scored], resamples: int, seed: int) -> Comparison:
    """Puts results side by side.

    Args:
        results: two or more; the others are compared with the first.
        resamples: of the bootstrap, see `tallies.intervals`.
        seed: of its draws.

    Raises:
        UserError: if their datasets or protocols differ, or two of them have one name.
    """
    first, *others = results
    names = tuple(result.name for result in results)
    if len(set(names)) < len(names):
        raise UserError(f"{', '.join(names)}: one result is given twice; give each once")
    rows = {key: [Cell(score)] for key, score in first.scores.items()}
    notes = [f"Percent; in parentheses the difference to {first.name} in percentage points."]
    for other in others:
        _check_task(first, other)
        paired = _paired(first, other)
        found = tallies.intervals(first.tallies, other.tallies, resamples, seed) if paired else {}
        for key, cells in rows.items():
            score = other.scores[key]
            cells.append(Cell(score, score - first.scores[key], found.get(key)))
        notes += [] if paired else [_unpaired(first, other)]
    if any(cell.interval for cells in rows.values() for cell in cells):
        notes.append(
            f"From to: the {tallies.COVERED} % interval of a difference, by a paired bootstrap "
            f"over the identities of the probes, {resamples} resamples, seed {seed}, the gallery "
            "as it is. Where it holds 0 the results may not differ."
        )
    if len({result.metric for result in results}) > 1:
        notes.append(f"Distances: {', '.join(f'{r.name} {r.metric}' for r in results)}.")
    return Comparison(names, rows, notes)


def _check_task(first: Scored, other: Scored) -> None:
    differences = [
        f"{name} {first.task[name]} in {first.name}, {other.task[name]} in {other.name}"
        for name in first.task
        if first.task[name] != other.task[name]
    ]
    if not differences and first.scores.keys() != other.scores.keys():
        differences = [f"other scores in {first.name} than in {other.name}"]
    if differences:
        raise UserError(
            f"these results are not of one task: {'; '.join(differences)}. Evaluate both on the "
            "same dataset by the same protocol"
        )


def _paired(first: Scored, other: Scored) -> bool:
    """Whether both are of the same probes, as far as their identities tell."""
    return (
        bool(first.tallies)
        and first.tallies.keys() == other.tallies.keys()
        and all(
            x.identities == other.tallies[key].identities
            and x.of.tolist() == other.tallies[key].of.tolist()
            for key, x in first.tallies.items()
        )
    )


def _unpaired(first: Scored, other: Scored) -> str:
    if not first.tallies and not other.tallies:
        return f"{other.name}: no intervals, for its scores are no averages over probes."
    return f"{other.name}: no intervals, for its probes are not those of {first.name}."


def markdown(comparison: Comparison) -> str:
    """A table in Markdown, and the notes below it."""
    heads = ["", *comparison.names]
    lines = [heads, ["---", *("---:" for _ in comparison.names)]]
    lines += [[_words(key), *map(_text, cells)] for key, cells in comparison.rows.items()]
    rows = ["| " + " | ".join(x.replace("|", "\\|") for x in line) + " |" for line in lines]
    return "\n".join([*rows, "", *comparison.notes, ""])


def latex(comparison: Comparison) -> str:
    """A table in LaTeX, with the notes as comments before it."""
    lines = [["", *map(_escaped, comparison.names)]]
    lines += [
        [_escaped(_words(key)), *(_escaped(_text(cell)) for cell in cells)]
        for key, cells in comparison.rows.items()
    ]
    head, *body = [" & ".join(line) + r" \\" for line in lines]
    columns = "l" + "r" * len(comparison.names)
    return "\n".join(
        [
            *(f"% {note}" for note in comparison.notes),
            rf"\begin{{tabular}}{{{columns}}}",
            r"\hline",
            head,
            r"\hline",
            *body,
            r"\hline",
            r"\end{tabular}",
            "",
        ]
    )


def comma_separated(comparison: Comparison) -> str:
    """A row a number, with all its digits; fields that do not apply are empty."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["condition", "metric", "result", "value", "difference", "low", "high"])
    for key, cells in comparison.rows.items():
        condition, _, score = key.rpartition("/")
        for name, cell in zip(comparison.names, cells, strict=True):
            interval = cell.interval or (None, None)
            writer.writerow([condition, score, name, cell.score, cell.difference, *interval])
    return table.getvalue()


FORMATS = {"markdown": markdown, "csv": comma_separated, "latex": latex}


def _words(key: str) -> str:
    condition, _, score = key.rpartition("/")
    return f"{condition} {score}"


def _text(cell: Cell) -> str:
    if cell.difference is None:
        return f"{cell.score:.2f}"
    if cell.interval is None:
        return f"{cell.score:.2f} ({cell.difference:+.2f})"
    low, high = cell.interval
    return f"{cell.score:.2f} ({cell.difference:+.2f}: {low:+.2f} to {high:+.2f})"


def _escaped(text: str) -> str:
    """Text in which nothing means anything to LaTeX."""
    named = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(named.get(c, "\\" + c if c in "&%$#_{}" else c) for c in text)
