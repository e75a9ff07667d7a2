"""How long neighbourhoods of points take, beside plain NumPy, on the clouds of LidarGait++.

    python scripts/benchmark_points.py [--clouds N]

prints a line a function: seconds of ours, without its compilation, seconds of NumPy in the same
run, and how many times as long NumPy takes; the medians of RUNS runs in turn.
"""

import argparse
import functools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gaitjax.models.layers import points as layers  # noqa: E402

POINTS, PICKED, NEIGHBOURS, RADIUS = 1024, 512, 32, 0.1  # of its first level, on SUSTech1K
RUNS = 5


def farthest_points(points: np.ndarray, start: np.ndarray) -> np.ndarray:
    """As ours, [N, PICKED]."""
    rows, latest, picked = np.arange(len(points)), start, []
    distance = np.full(points.shape[:2], np.inf, points.dtype)
    for _ in range(PICKED):
        picked.append(latest)
        gaps = ((points - points[rows, latest][:, None]) ** 2).sum(axis=-1)
        distance = np.minimum(distance, gaps)
        latest = distance.argmax(axis=-1)
    return np.stack(picked, axis=-1)


def nearest_points(points: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """As ours, [N, PICKED, NEIGHBOURS]."""
    return _distances(points, queries).argsort(axis=-1, kind="stable")[..., :NEIGHBOURS]


def points_within(points: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """As ours, [N, PICKED, NEIGHBOURS]."""
    inside = _distances(points, queries) <= np.float32(RADIUS**2)
    found = np.where(inside, np.arange(POINTS), POINTS)
    first = np.sort(found, axis=-1)[..., :NEIGHBOURS]
    return np.where(first < POINTS, first, first[..., :1])


def _distances(points: np.ndarray, queries: np.ndarray) -> np.ndarray:
    square: np.ndarray = ((queries[:, :, None] - points[:, None]) ** 2).sum(axis=-1)
    return square


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--clouds", type=int, default=16)
    clouds = parser.parse_args().clouds
    rng = np.random.default_rng(0)
    points = rng.random((clouds, POINTS, 3), np.float32)
    start, queries = rng.integers(0, POINTS, clouds), points[:, :PICKED]
    number = {"number": NEIGHBOURS}
    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "farthest_points": (
            lambda: layers.farthest_points(points, PICKED, start),
            lambda: farthest_points(points, start),
        ),
        "nearest_points": (
            functools.partial(layers.nearest_points, points, queries, **number),
            lambda: nearest_points(points, queries),
        ),
        "points_within": (
            functools.partial(layers.points_within, points, queries, RADIUS, **number),
            lambda: points_within(points, queries),
        ),
    }
    print(f"{clouds} clouds of {POINTS} points on {jax.devices()[0].device_kind}")
    for name, (ours, theirs) in pairs.items():
        jax.block_until_ready(ours())
        a, b = (statistics.median(column) for column in zip(*_times(ours, theirs), strict=True))
        print(f"{name:16} {a:8.3f} s  NumPy {b:8.3f} s  {b / a:6.1f} times as long", flush=True)


def _times(*functions: Callable[[], Any]) -> list[list[float]]:
    """Seconds [RUNS][function]."""
    return [[_time(function) for function in functions] for _ in range(RUNS)]


def _time(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
