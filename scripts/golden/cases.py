"""Which cases a folder holds, and what becomes of each."""

import json
import runpy
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from gaitjax.errors import UserError

from . import (
    collate_samplers,
    dataset_scripts,
    dinov2,
    evaluation,
    evaluation_pieces,
    losses,
    networks,
    optimizers,
    pretreatment,
    transforms,
)
from .errors import SkippedError, UnsupportedError
from .rule import RULE, Rule
from .tolerance import Comparison

Check = Callable[[], list[Comparison]]


class Case(NamedTuple):
    """What becomes one line of the report.

    Attributes:
        name: the file's; 'FILE/CASE' for the cases of a table.
        check: compares, or raises what came in the way.
        readable: False for a file that may hold any number of cases.
    """

    name: str
    check: Check
    readable: bool = True


class Outcome(NamedTuple):
    """What became of a case.

    Attributes:
        text: what was compared and how far apart the worst of it is, or what came in the way.
        status: 'pass', 'fail', 'not supported' or 'skipped: REASON'.
    """

    text: str
    status: str


class Arrays(Mapping[str, np.ndarray]):
    """The arrays of an NPZ, each read when it is asked for; none is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __getitem__(self, name: str) -> np.ndarray:
        return self._read(lambda archive: archive[name], f"has no array {name!r}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._read(lambda archive: archive.files))

    def __len__(self) -> int:
        return len(list(self))

    def _read(self, get: Callable[[Any], Any], missing: str = "") -> Any:
        if not self.path.is_file():
            raise UserError(f"{self.path.name} is missing; it holds the arrays of this case")
        try:
            with np.load(self.path, allow_pickle=False) as archive:
                return get(archive)
        except KeyError as error:
            raise UserError(f"{self.path.name} {missing}") from error
        except Exception as error:
            raise UserError(f"{self.path.name} cannot be read: {error}") from error


def load_rule(folder: Path) -> Rule:
    """The folder's own `golden_rule.py`, or ours.

    Raises:
        UserError: if the folder's cannot be used.
    """
    path = folder / "golden_rule.py"
    if not path.exists():
        return RULE
    try:
        own = runpy.run_path(str(path))
        return Rule(own["fill"], own["probe"])
    except Exception as error:
        raise UserError(
            f"{path} cannot be used: {error!r}; it should define fill and probe. Mend it, or "
            "remove it to use our own rule"
        ) from error


def discover(folder: Path) -> list[Case]:
    """All cases of a folder.

    Args:
        folder: holds `NAME.json` and, where there are arrays, `NAME.npz`. `index_*.json` are no
            cases.

    Raises:
        UserError: if there is no such folder, its rule cannot be used, or it holds no case.
    """
    if not folder.is_dir():
        raise UserError(f"there is no folder {folder}; expected one that holds golden cases")
    rule = load_rule(folder)
    paths = [path for path in sorted(folder.glob("*.json")) if not path.name.startswith("index_")]
    cases = [case for path in paths for case in _of_file(path, rule)]
    for path in sorted(folder.glob("*.npz")):
        if not path.with_suffix(".json").exists():
            cases.append(_unreadable(path, f"{path.stem}.json is missing; it says what this is"))
    if not cases:
        raise UserError(f"{folder} holds no golden case; expected NAME.json and NAME.npz")
    return cases


def run(case: Case) -> Outcome:
    """Compares, and sums up; a fault of one case never stops the others."""
    try:
        comparisons = case.check()
    except UnsupportedError as error:
        return Outcome(_short(error), "not supported")
    except SkippedError as error:
        return Outcome("", f"skipped: {error}")
    except UserError as error:
        return Outcome(_short(error), "fail")
    except Exception as error:
        return Outcome(_short(f"{type(error).__name__}: {error}"), "fail")
    if not comparisons:
        return Outcome("there is nothing to compare", "fail")
    status = "pass" if all(comparison.passes for comparison in comparisons) else "fail"
    return Outcome(_short(_summary(comparisons)), status)


def _summary(comparisons: list[Comparison]) -> str:
    """What was compared, and the one nearest to, or farthest beyond, its tolerance."""
    counts = Counter(comparison.what for comparison in comparisons)
    compared = ", ".join(f"{n} {what}" if n > 1 else what for what, n in counts.items())
    worst = max(comparisons, key=lambda comparison: comparison.share)
    place = f"{worst.what} {worst.where}" if len(comparisons) > 1 else worst.where
    where = f" in {place}" if place and (worst.error or len(comparisons) == 1) else ""
    return f"{compared}; worst {worst.error:.1e} of {worst.tolerance:.1e}{where}"


def _of_file(path: Path, rule: Rule) -> list[Case]:
    name = path.name.removesuffix(".json")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError(f"expected an object, found a {type(content).__name__}")
        checks = _checks(name, content, Arrays(path.with_suffix(".npz")), rule)
    except Exception as error:
        return [_unreadable(path, f"{path.name} cannot be read: {type(error).__name__}: {error}")]
    cases = [Case(_line(f"{name}/{case}".rstrip("/")), check) for case, check in checks.items()]
    return cases or [_unreadable(path, f"{path.name} is a table without cases")]


def _checks(name: str, content: dict[str, Any], arrays: Arrays, rule: Rule) -> dict[str, Check]:
    """Case -> check of everything in a file; the case is '' where the file is no table."""
    kind = content.get("mode") or content.get("kind")
    if name.endswith(".manifest"):
        return {"": partial(networks.manifest, content)}
    if kind == "eval":
        return {"": partial(networks.evaluate, content, arrays, rule)}
    if kind == "train":
        return {"": partial(networks.train, content, arrays, rule)}
    if kind == "evaluation":
        return {"": partial(evaluation.check, content, arrays)}
    if kind == "evaluation pieces":
        return {"": partial(evaluation_pieces.check, content, arrays)}
    if kind == "optimisers":
        return dict(optimizers.checks(content))
    if kind == "transforms":
        entries = content["cases"].items()
        return {case: partial(transforms.check, case, entry, arrays) for case, entry in entries}
    if kind == "collate and samplers":
        return dict(collate_samplers.checks(content))
    if kind == "dataset scripts":
        return dict(dataset_scripts.checks(arrays))
    if kind == "vision":
        entries = content["cases"].items()
        return {case: partial(dinov2.check, entry, arrays, rule) for case, entry in entries}
    if kind == "pretreatment":
        return dict(pretreatment.checks(content, arrays))
    if kind is None and "cases" in content:
        entries = content["cases"].items()
        return {case: partial(losses.check, entry, arrays) for case, entry in entries}
    return {"": partial(_unknown, kind)}


def _unknown(kind: Any) -> list[Comparison]:
    raise UnsupportedError(f"cases of kind {kind!r}")


def _unreadable(path: Path, fault: str) -> Case:
    def check() -> list[Comparison]:
        raise UserError(fault)

    return Case(path.name.removesuffix(path.suffix), check, readable=False)


def _line(text: object) -> str:
    """One line without control characters."""
    return " ".join("".join(c if c.isprintable() else " " for c in str(text)).split())


def _short(text: object) -> str:
    return textwrap.shorten(_line(text), 300, placeholder=" ...")
