import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.evaluation.rerank import rerank


def naive(distance, probes, k1, k2, weight):
    """The paper's sets and sums, one sequence after another, in float64."""
    n = len(distance)
    distance = distance / distance.max(1, keepdims=True)
    nearest = [sorted(range(n), key=lambda j, i=i: (distance[i, j], j)) for i in range(n)]

    def mutual(i, k):
        return {j for j in nearest[i][: k + 1] if i in nearest[j][: k + 1]}

    weights = np.zeros((n, n))
    for i in range(n):
        own = mutual(i, k1)
        expanded = set(own)
        for candidate in own:
            theirs = mutual(candidate, round(k1 / 2))
            if len(theirs & own) > 2 / 3 * len(theirs):
                expanded |= theirs
        for j in expanded:
            weights[i, j] = np.exp(-distance[i, j])
        weights[i] /= max(weights[i].sum(), 1e-9)
    if k2 > 1:
        weights = np.array([np.mean([weights[j] for j in nearest[i][:k2]], 0) for i in range(n)])
    overlap = np.minimum(weights[:probes, None], weights[None, probes:]).sum(-1)
    jaccard = 1 - overlap / (2 - overlap)
    return (1 - weight) * jaccard + weight * distance[:probes, probes:]


@pytest.mark.parametrize(
    ("k1", "k2", "weight"), [(6, 6, 0.3), (3, 1, 0.0), (9, 12, 0.5), (99, 2, 1)]
)
def test_equals_the_sets_of_the_paper(k1, k2, weight):
    """With many ties, equal embeddings, and more neighbours asked for than there are."""
    points = np.random.default_rng(0).integers(0, 4, (60, 3))
    distance = np.abs(points[:, None] - points).sum(-1).astype(np.float32)
    found = rerank(distance, 25, k1=k1, k2=k2, weight=weight)
    assert found.dtype == np.float32
    expected = naive(distance.astype(np.float64), 25, k1, k2, weight)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_equal_embeddings_have_finite_distances():
    assert np.isfinite(rerank(np.zeros((30, 30), np.float32), 10, k1=3, k2=3, weight=0.3)).all()


@pytest.mark.parametrize("distance", [np.ones((4, 5)), np.full((4, 4), np.nan)])
def test_what_is_no_finite_square_is_refused(distance):
    with pytest.raises(UserError, match="finite square"):
        rerank(distance, 2, k1=6, k2=6, weight=0.3)


@pytest.mark.parametrize("probes", [0, 4])
def test_an_empty_side_is_refused(probes):
    with pytest.raises(UserError, match=f"{probes} of 4 sequences are probes"):
        rerank(np.ones((4, 4)), probes, k1=6, k2=6, weight=0.3)
