import os
import socket
import subprocess
import sys

import numpy as np
import pytest

from gaitjax.evaluation import metrics, ranking
from gaitjax.evaluation.ranking import Side

RANK = """
import sys
import numpy as np
from absl import flags
from gaitjax.training import mesh
flags.FLAGS(sys.argv[:1] + sys.argv[2:])
mesh.initialize()
from gaitjax.evaluation import ranking
from tests.evaluation.test_ranking import sides
ranking.PROBES, ranking.CHUNK = 8, 16 * 3 * 5
ranked = ranking.rank(*sides(), "euclidean", "view", together=True)
by_view = ranking.rank_by_view(*sides(), np.arange(3), "cosine", together=True)
np.savez(sys.argv[1], *ranked, by_view)
"""


def sides():
    """Walks of uneven numbers an identity, some of them twice; probes are in the gallery too."""
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(150, 3, 5)).astype(np.float32)
    embeddings[::7] = embeddings[1::7][:1]
    identity = rng.choice(12, 150, p=np.arange(1, 13) / 78).astype(np.int32)
    identity[25] = 12  # of whom there is no other walk
    view, row = rng.integers(0, 3, 150, np.int32), np.arange(150, dtype=np.int32)
    gallery = rng.permutation(150)[:70]
    gallery = gallery[identity[gallery] != 3]

    def of(rows):
        return Side(embeddings, identity[rows], view[rows], row[rows])

    return of(np.arange(20, 130)), of(gallery)


def run(tmp_path, devices, *arguments):
    environment = os.environ | {"XLA_FLAGS": f"--xla_force_host_platform_device_count={devices}"}
    file = tmp_path / f"{devices}{''.join(arguments)[-1:]}.npz"
    command = [sys.executable, "-c", RANK, str(file), *arguments]
    return file, subprocess.Popen(command, env=environment)


def test_devices_and_processes_rank_alike_to_the_bit(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    two = ["--processes=2", f"--coordinator=127.0.0.1:{port}"]
    started = [
        run(tmp_path, 1),
        run(tmp_path, 8),
        run(tmp_path, 2, *two, "--process=0"),
        run(tmp_path, 2, *two, "--process=1"),
    ]
    assert [process.wait(600) for _, process in started] == [0] * 4
    one, *others = (np.load(file) for file, _ in started)
    for other in others:
        for name in one:
            np.testing.assert_array_equal(one[name], other[name])


@pytest.fixture(params=["one block", "many blocks", "gallery streamed"])
def blocks(request, monkeypatch):
    if request.param != "one block":
        monkeypatch.setattr(ranking, "PROBES", 4)
        monkeypatch.setattr(ranking, "CHUNK", 16 * 3 * 5)
    if request.param == "gallery streamed":
        monkeypatch.setattr(ranking, "KEPT", 0)
        monkeypatch.setattr(ranking, "DISTANCES", 200)


def naive_order(probe, gallery, i, exclude):
    """Gallery entries that count, in order of distance, the earlier first among equals."""
    own, entries = (x.astype(np.float64) for x in (probe.take(i)[0], gallery.take(slice(None))[0]))
    distance = np.linalg.norm(entries - own, axis=2).mean(1)
    counts = gallery.row != probe.row[i]
    if exclude == "view":
        counts &= (gallery.identity != probe.identity[i]) | (gallery.view != probe.view[i])
    return np.flatnonzero(counts)[np.argsort(distance[counts], kind="stable")]


@pytest.mark.parametrize("exclude", ["view", "none"])
def test_ranks_equal_those_of_a_naive_loop(blocks, exclude):
    probe, gallery = sides()
    found = ranking.rank(probe, gallery, "euclidean", exclude)
    for i, (first, precision, penalty) in enumerate(zip(*found, strict=True)):
        order = naive_order(probe, gallery, i, exclude)
        ranks = np.flatnonzero(gallery.identity[order] == probe.identity[i]) + 1
        expected = metrics.NO_MATE, 0, 0
        if len(ranks):
            mean = np.mean([n / k for n, k in enumerate(ranks, 1)])
            expected = ranks[0] - 1, mean, len(ranks) / ranks[-1]
        np.testing.assert_allclose((first, precision, penalty), expected, rtol=1e-6)
    assert (found.first == metrics.NO_MATE).any()


def test_galleries_of_one_view_equal_a_naive_loop(blocks):
    probe, gallery = sides()
    found = ranking.rank_by_view(probe, gallery, np.array([0, 2]), "euclidean")
    for i, row in enumerate(found):
        order = naive_order(probe, gallery, i, "none")
        for first, view in zip(row, (0, 2), strict=True):
            seen = order[gallery.view[order] == view]
            ranks = np.flatnonzero(gallery.identity[seen] == probe.identity[i])
            assert first == (ranks[0] if len(ranks) else metrics.NO_MATE)


@pytest.mark.parametrize("exclude", ["view", "none"])
def test_the_nearest_equal_the_head_of_a_sorted_list(blocks, exclude):
    probe, gallery = sides()
    rows, distance = ranking.nearest(probe, gallery, 5, "euclidean", exclude)
    for i, row in enumerate(rows):
        order = naive_order(probe, gallery, i, exclude)[:5]
        np.testing.assert_array_equal(row, gallery.row[order])
        own = gallery.embeddings[row] - probe.embeddings[probe.row[i]]
        np.testing.assert_allclose(distance[i], np.linalg.norm(own, axis=2).mean(1), atol=1e-3)


def test_entries_that_do_not_count_are_infinitely_far():
    probe, gallery = sides()
    m = len(gallery.row)
    rows, distance = ranking.nearest(probe, gallery, m, "euclidean", "none")
    is_itself = rows == probe.row[:, None]
    assert is_itself.any()
    np.testing.assert_array_equal(np.isinf(distance), is_itself)
