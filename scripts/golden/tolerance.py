"""How close is close enough: the limits that the README of the golden cases states."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

NUMBER = r"(\d[\d.]*(?:e[-+]?\d+)?)"


class Comparison(NamedTuple):
    """One of our numbers, or arrays, beside the reference's.

    Attributes:
        what: the quantity, such as 'grads'.
        where: which of them, such as the parameter's name.
        error: relative, but for quantities that README compares absolutely.
        tolerance: the largest error that passes.
    """

    what: str
    where: str
    error: float
    tolerance: float

    @property
    def passes(self) -> bool:
        """Whether the error is a number within the tolerance."""
        return self.error <= self.tolerance

    @property
    def share(self) -> float:
        """The share of the tolerance that is used up."""
        if self.error == 0:
            return 0.0
        share = self.error / self.tolerance if self.tolerance else math.inf
        return math.inf if math.isnan(share) else share


def deviations(notes: str) -> dict[str, float]:
    """How far the reference's float32 is from its float64, as the notes of a case state it.

    Args:
        notes: such as 'out/embeddings max|diff|/max|value| 4e-07', or 'losses triplet/loss 4e-06,
            loss_sum 4e-06; grads (difference of norm or dot / norm) median 9e-06, worst 1e-03'.

    Returns:
        Output, loss or quantity ('training_feat', 'running_stats', 'grads') -> its worst deviation.
    """
    losses = re.search(rf"\blosses ((?:[^\s;,]+ {NUMBER}(?:, )?)+)", notes)
    found = re.findall(rf"([^\s;,]+) {NUMBER}", losses[1]) if losses else []
    found += re.findall(rf"([^\s;,]+) max\|diff\|/max\|value\| {NUMBER}", notes)
    found += re.findall(rf"(\w+) \(difference[^)]*\) median {NUMBER}, worst {NUMBER}", notes)
    return {name: float(numbers[-1]) for name, *numbers in found}


def output_limit(deviation: float | None) -> float:
    """The tolerance of outputs and losses."""
    return max(1e-4, 4 * (deviation or 0))


def gradient_limit(deviation: float | None) -> float:
    """The tolerance of gradients and running statistics."""
    return 3e-2 if deviation is None else max(1e-3, 4 * deviation)


def array(what: str, where: str, ours: Any, theirs: Any, tolerance: float) -> Comparison:
    """max|a - b| / max|b|; where the reference is not finite, ours need only be finite."""
    ours, theirs = np.asarray(ours, np.float64), np.asarray(theirs, np.float64)
    if ours.shape != theirs.shape:
        where = f"{where}: shape {list(ours.shape)} beside {list(theirs.shape)}".removeprefix(": ")
        return Comparison(what, where, math.inf, tolerance)
    known = np.isfinite(theirs)
    largest = np.abs(theirs[known]).max(initial=0)
    if not np.isfinite(ours).all():
        return Comparison(what, where, math.inf, tolerance)
    difference = np.abs(ours[known] - theirs[known]).max(initial=0)
    error = _relative(difference, largest)
    return Comparison(what, where, error, tolerance)


def scalar(what: str, where: str, ours: Any, theirs: Any, tolerance: float) -> Comparison:
    """|a - b| / max(|b|, 1e-2); where the reference is not finite, ours need only be finite."""
    ours, theirs = float(ours), float(theirs)
    error = abs(ours - theirs) / max(abs(theirs), 1e-2) if math.isfinite(theirs) else 0.0
    return Comparison(what, where, error if math.isfinite(ours) else math.inf, tolerance)


def fingerprint(
    what: str,
    where: str,
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    tolerance: float,
    largest: float = 0.0,
) -> Comparison:
    """Differences of norm and dot, over the norm.

    Args:
        what: see `Comparison`.
        where: see `Comparison`.
        ours: as `rule.probe` gives it.
        theirs: the reference's.
        tolerance: see `Comparison`.
        largest: a norm below 1e-5 of it is compared absolutely, against 1e-5 of it.
    """
    if list(ours["shape"]) != list(theirs["shape"]):
        where = f"{where}: shape {list(ours['shape'])} beside {list(theirs['shape'])}"
        return Comparison(what, where, math.inf, tolerance)
    a, b = (np.array([float(x[k]) for k in ("norm", "dot")]) for x in (ours, theirs))
    if not np.isfinite(b).all():
        return Comparison(what, where, 0.0 if np.isfinite(a).all() else math.inf, tolerance)
    difference = float(np.abs(a - b).max())
    if b[0] < 1e-5 * largest:
        return Comparison(what, where, difference, 1e-5 * largest)
    return Comparison(what, where, _relative(difference, b[0]), tolerance)


def by_key(
    what: str,
    ours: Mapping[str, Any],
    theirs: Mapping[str, Any],
    compare: Callable[[str], Comparison],
) -> list[Comparison]:
    """Compares what both have; what only one of them has is infinitely wrong."""
    alone = [
        Comparison(
            what, f"{key}, which {'we lack' if key in theirs else 'is ours alone'}", math.inf, 0
        )
        for key in sorted(set(ours) ^ set(theirs))
    ]
    return alone + [compare(key) for key in theirs if key in ours]


def exact(what: str, where: str, ours: Any, theirs: Any) -> Comparison:
    """Passes when both are equal."""
    return Comparison(what, where, 0.0 if ours == theirs else math.inf, 0.0)


def _relative(difference: float, size: float) -> float:
    if difference == 0:
        return 0.0
    return float(difference / size) if size else math.inf
