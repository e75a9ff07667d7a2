import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.evaluation import metrics


def naive_distance(x, y, metric):
    if metric == "euclidean":
        return np.mean([np.linalg.norm(a - b) for a, b in zip(x, y, strict=True)])
    cosines = [a @ b / (np.linalg.norm(a) * np.linalg.norm(b)) for a, b in zip(x, y, strict=True)]
    return 1 - np.mean(cosines)


@pytest.mark.parametrize("metric", metrics.METRICS)
def test_distances_are_the_mean_over_parts(metric):
    rng = np.random.default_rng(0)
    probe, gallery = rng.normal(size=(5, 3, 7)), rng.normal(size=(4, 3, 7))
    expected = [[naive_distance(x, y, metric) for y in gallery] for x in probe]
    found = metrics.distances(jnp.float32(probe), jnp.float32(gallery), metric)
    assert found.dtype == jnp.float32
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("metric", metrics.METRICS)
def test_distances_of_equal_and_of_zero_embeddings_are_finite(metric):
    x = jnp.concatenate([jnp.ones((2, 3, 50)) / 3, jnp.zeros((1, 3, 50))]).astype(jnp.bfloat16)
    found = metrics.distances(x, x, metric)
    assert found.dtype == jnp.float32
    assert jnp.isfinite(found).all()
    np.testing.assert_allclose(found[:2, :2], 0, atol=2e-3)


def test_an_unknown_metric_names_the_known_ones():
    with pytest.raises(UserError, match="euclidean, cosine"):
        metrics.distances(jnp.ones((1, 1, 1)), jnp.ones((1, 1, 1)), "euc")


def ranking(seed):
    """Many ties, identities with one entry or none, entries that do not count."""
    rng = np.random.default_rng(seed)
    distance = rng.integers(0, 6, (40, 30)).astype(np.float32)
    probe, gallery = rng.integers(0, 25, 40), rng.integers(0, 20, 30)
    return distance, probe, gallery, rng.random((40, 30)) < 0.8


def naive_matches(distance, probe, gallery, counts):
    """For each probe: its ranked gallery, True where an entry is a mate."""
    for row, identity, own in zip(distance, probe, counts, strict=True):
        order = sorted(np.flatnonzero(own), key=lambda j: (row[j], j))
        yield [bool(gallery[j] == identity) for j in order]


def positions(distance, probe, gallery, counts):
    mates = [np.flatnonzero(gallery == identity) for identity in probe]
    columns = np.full((len(probe), 30), 30)
    for row, own in zip(columns, mates, strict=True):
        row[: len(own)] = own
    return metrics.positions(np.where(counts, distance, np.nan), columns)


@pytest.mark.parametrize("seed", range(3))
def test_ranks_equal_those_of_a_sorted_list(seed):
    arguments = ranking(seed)
    first, precision, penalty = [], [], []
    for matches in naive_matches(*arguments):
        ranks = [k for k, match in enumerate(matches, 1) if match]
        first.append(ranks[0] - 1 if ranks else metrics.NO_MATE)
        precision.append(np.mean([n / k for n, k in enumerate(ranks, 1)]) if ranks else 0)
        penalty.append(len(ranks) / ranks[-1] if ranks else 0)
    assert metrics.NO_MATE in first
    found = positions(*arguments)
    np.testing.assert_array_equal(metrics.first_match(found), first)
    np.testing.assert_allclose(metrics.average_precision(found), precision, rtol=1e-6)
    np.testing.assert_allclose(metrics.inverse_negative_penalty(found), penalty, rtol=1e-6)


def test_cumulative_matches_count_probes_up_to_each_rank():
    assert metrics.cumulative_matches(np.array([0, 2, 2, 9]), 5).tolist() == [1, 1, 3, 3, 3]
