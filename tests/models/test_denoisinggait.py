"""DenoisingGait's own parts. The whole is compared with OpenGait's in tests/golden."""

import itertools

import jax
import narrow
import numpy as np
import pytest

from gaitjax.models import denoisinggait


def naive_flow(source, target, radius):
    """Of one frame [H, W, C], pixel by pixel."""
    height, width, channels = source.shape
    flow = np.zeros((height, width, 2))
    for i, j in itertools.product(range(height), range(width)):
        places = [
            (k, m)
            for k in range(max(i - radius, 0), min(i + radius + 1, height))
            for m in range(max(j - radius, 0), min(j + radius + 1, width))
        ]
        scores = np.exp([source[i, j] @ target[place] / channels**0.5 for place in places])
        moves = [(m - j, k - i) for k, m in places]
        flow[i, j] = scores @ moves / scores.sum()
    return flow


@pytest.mark.parametrize("radius", [1, 3])
def test_flow_is_the_mean_place_that_attention_finds_in_a_window(radius):
    source, target = np.random.default_rng(0).standard_normal((2, 3, 7, 5, 4), "f4")
    found = denoisinggait.flow(source, target, radius)
    expected = [naive_flow(a, b, radius) for a, b in zip(source, target, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_smoothing_leaves_out_long_vectors_and_their_neighbours_inside():
    flow = np.full((6, 6, 2), 0.1, "f4")
    flow[2, 2] = flow[0, 5] = 1  # one inside and one outside
    inside = np.zeros((6, 6), bool)
    inside[1:5, 2:5] = True
    expected = flow.copy()
    expected[1:4, 2:4] = 0
    np.testing.assert_array_equal(denoisinggait.smooth(flow, inside, 0.5), expected)


def test_half_of_the_sequences_are_smoothed_in_training():
    model, _ = narrow.network("denoisinggait")
    drawn = {tuple(model.draw(jax.random.key(i), 4).tolist()) for i in range(9)}
    assert len(drawn) > 1
    assert {sum(rows) for rows in drawn} == {2}
