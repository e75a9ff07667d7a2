"""How long rankings take, beside plain NumPy, and in what memory.

    python scripts/benchmark_evaluation.py [--gallery M] [--probes N] [--alone]

ranks made-up embeddings of PARTS x CHANNELS that lie in a mapped file. It prints a line a function:
seconds of ours, without its compilation, seconds of NumPy in the same run, and how many times as
long NumPy takes; the medians of RUNS runs in turn. NumPy's way is OpenGait's: the whole matrix of
distances; for mAP and mINP all of it sorted, and a loop over probes and the places of each.
`--alone` ranks once without NumPy, for sizes that it cannot do, and prints the peak memory.

Seen on two cores of an AMD EPYC, otherwise idle:

    10000 gallery entries, 2000 probes
    mAP and mINP of distances    0.064 s  NumPy    1.808 s    28.1 times as long
    rank                         0.939 s  NumPy    4.110 s     4.4 times as long
    rank_by_view                 0.954 s  NumPy    1.375 s     1.4 times as long

OpenGait's own functions took 24 s for what `rank` does there, 3.4 s of them for distances: 24 to 26
times as long. With some ten other processes beside:

    100000 gallery entries, 20000 probes, --alone
    1103 s, of which 159 s of a core; peak memory 3.89 GiB, of which 1.83 GiB embeddings
"""

import argparse
import functools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gaitjax.evaluation import metrics, ranking  # noqa: E402
from gaitjax.evaluation.ranking import Side  # noqa: E402

PARTS, CHANNELS, VIEWS = 16, 256, 5  # an identity is in the gallery once from each view
NOISE = 4.0  # of a sequence, beside its identity's 1: ranks are neither all first nor random
RUNS = 3


def distances(probe: np.ndarray, gallery: np.ndarray) -> np.ndarray:
    """Euclidean, [n, m], the mean over parts."""
    total = np.zeros((len(probe), len(gallery)), np.float32)
    for part in range(probe.shape[1]):
        x, y = probe[:, part], gallery[:, part]
        square = (x**2).sum(1)[:, None] + (y**2).sum(1) - 2 * (x @ y.T)
        total += np.sqrt(np.maximum(square, 0))
    return total / probe.shape[1]


def rank(probe: Side, gallery: Side) -> np.ndarray:
    """First match, average precision and inverse negative penalty, [n, 3]."""
    distance = distances(probe.embeddings[probe.row], gallery.embeddings[gallery.row])
    return rank_distances(distance, probe, gallery)


def rank_distances(distance: np.ndarray, probe: Side, gallery: Side) -> np.ndarray:
    """As `rank`, of distances [n, m]; each place is divided by in turn, as OpenGait does."""
    mates = gallery.identity[distance.argsort(axis=1)] == probe.identity[:, None]
    ranked = []
    for mate in mates:
        hits, places = mate.cumsum(), np.flatnonzero(mate) + 1
        precision = np.array([hit / place for place, hit in enumerate(hits, 1)])
        average = (precision * mate).sum() / len(places)
        ranked.append((places[0] - 1, average, len(places) / places[-1]))
    return np.array(ranked)


def rank_by_view(probe: Side, gallery: Side) -> np.ndarray:
    """Whether the nearest entry of each view is a mate, [n, VIEWS]."""
    hit = np.zeros((len(probe.row), VIEWS), bool)
    for view in range(VIEWS):
        own = gallery.view == view
        entries = gallery.embeddings[gallery.row[own]]
        for searched_from in range(VIEWS):
            probes = np.flatnonzero(probe.view == searched_from)
            distance = distances(probe.embeddings[probe.row[probes]], entries)
            hit[probes, view] = gallery.identity[own][distance.argmin(1)] == probe.identity[probes]
    return hit


def make(folder: Path, gallery: int, probes: int) -> tuple[Side, Side]:
    """Probes and gallery of sorted identities, as datasets have them, in a mapped file."""
    rng = np.random.default_rng(0)
    number = -(-gallery // VIEWS)
    persons = rng.standard_normal((number, CHANNELS), np.float32)
    of_gallery = np.arange(gallery) // VIEWS
    identity = np.concatenate([of_gallery, np.arange(probes) * number // probes])
    shape = (gallery + probes, PARTS, CHANNELS)
    file = folder / "embeddings.npy"
    embeddings = np.lib.format.open_memmap(file, "w+", np.float32, shape)
    for row, own in zip(embeddings, identity, strict=True):
        row[:] = persons[own] + NOISE * rng.standard_normal((PARTS, CHANNELS), np.float32)
    embeddings.flush()
    embeddings = np.load(file, mmap_mode="r")
    row = np.arange(gallery + probes, dtype=np.int32)
    view = np.concatenate([row[:gallery], row[:probes]]) % VIEWS
    codes = (identity.astype(np.int32), view, row)
    return (
        Side(embeddings, *(x[gallery:] for x in codes)),
        Side(embeddings, *(x[:gallery] for x in codes)),
    )


@jax.jit
def scores(distance: jax.Array, mates: jax.Array) -> tuple[jax.Array, ...]:
    """Average precision and inverse negative penalty, by ours."""
    position = metrics.positions(distance, mates)
    return metrics.average_precision(position), metrics.inverse_negative_penalty(position)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gallery", type=int, default=10_000)
    parser.add_argument("--probes", type=int, default=2_000)
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sides = make(Path(folder), options.gallery, options.probes)
        where = f"{options.probes} probes on {jax.devices()[0].device_kind}"
        print(f"{options.gallery} gallery entries, {where}", flush=True)
        alone(*sides) if options.alone else beside(*sides)


def beside(probe: Side, gallery: Side) -> None:
    """Prints the times of ours and of NumPy."""
    views = np.arange(VIEWS, dtype=np.int32)
    mates = ranking.Mates.of(probe.identity, gallery.identity).of_probes(np.arange(len(probe.row)))
    distance = distances(probe.embeddings[probe.row], gallery.embeddings[gallery.row])
    placed = jax.device_put(distance)
    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "mAP and mINP of distances": (
            lambda: jax.device_get(scores(placed, mates)),
            functools.partial(rank_distances, distance, probe, gallery),
        ),
        "rank": (
            functools.partial(ranking.rank, probe, gallery, "euclidean", "none"),
            functools.partial(rank, probe, gallery),
        ),
        "rank_by_view": (
            functools.partial(ranking.rank_by_view, probe, gallery, views, "euclidean"),
            functools.partial(rank_by_view, probe, gallery),
        ),
    }
    for name, (ours, theirs) in pairs.items():
        ours()
        a, b = (statistics.median(column) for column in zip(*_times(ours, theirs), strict=True))
        print(f"{name:25} {a:8.3f} s  NumPy {b:8.3f} s  {b / a:6.1f} times as long", flush=True)


def alone(probe: Side, gallery: Side) -> None:
    """Prints the scores, the time and the memory of one ranking."""
    start = time.perf_counter()
    first, precision, penalty = ranking.rank(probe, gallery, "euclidean", "none")
    seconds = time.perf_counter() - start
    hits = (100 * np.mean(first < k) for k in (1, 5, 10))
    print("rank-1, 5, 10: {:.2f} {:.2f} {:.2f} %".format(*hits), end=", ")
    print(f"mAP {100 * precision.mean():.2f} %, mINP {100 * penalty.mean():.2f} %")
    peak, mapped = _peak(), probe.embeddings.nbytes / 2**30
    print(f"{seconds:.0f} s; peak memory {peak:.2f} GiB, of which {mapped:.2f} GiB embeddings")


def _peak() -> float:
    """The most memory that this process had, mapped files included, in GiB."""
    status = Path("/proc/self/status").read_text()
    (line,) = (line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 2**20


def _times(*functions: Callable[[], Any]) -> list[list[float]]:
    """Seconds [RUNS][function]."""
    return [[_time(function) for function in functions] for _ in range(RUNS)]


def _time(function: Callable[[], Any]) -> float:
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
