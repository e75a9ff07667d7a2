"""Neighbourhoods of points against loops over all of them."""

import numpy as np
import pytest

from gaitjax.models.layers import points as layers

RADIUS, NUMBER = 3, 6


def clouds(seed):
    """Four clouds with many equal distances, which points are there, and a first one that is."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 8, (2, 2, 30, 3)).astype(np.float32)
    valid = rng.random((2, 2, 30)) < 0.8
    valid[0, 0] = np.arange(30) == 7  # a single one
    return points, valid, np.argmax(valid, -1)


def farthest(points, valid, start, number):
    picked = [start]
    while len(picked) < number:
        gaps = [min(((p - points[i]) ** 2).sum() for i in picked) for p in points]
        picked.append(max(np.flatnonzero(valid), key=lambda i: (gaps[i], -i)))
    return picked


def nearest(points, valid, query, number):
    there = np.flatnonzero(valid)
    found = sorted(there, key=lambda i: (((points[i] - query) ** 2).sum(), i))[:number]
    return found + found[:1] * (number - len(found))


def within(points, valid, query, number):
    there = np.flatnonzero(valid)
    found = [i for i in there if ((points[i] - query) ** 2).sum() <= RADIUS**2][:number]
    return found + found[:1] * (number - len(found))


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("masked", [False, True])
def test_points_are_those_of_brute_force(seed, masked):
    points, valid, start = clouds(seed)
    mask = valid if masked else None
    valid = valid if masked else np.ones_like(valid)
    picked = np.asarray(layers.farthest_points(points, 12, start, mask))
    queries = np.asarray(layers.gather_points(points, picked))
    near = layers.nearest_points(points, queries, NUMBER, mask)
    ball = layers.points_within(points, queries, RADIUS, NUMBER, mask)
    for at in np.ndindex(2, 2):
        of = points[at], valid[at]
        assert picked[at].tolist() == farthest(*of, start[at], 12)
        assert near[at].tolist() == [nearest(*of, q, NUMBER) for q in queries[at]]
        assert ball[at].tolist() == [within(*of, q, NUMBER) for q in queries[at]]


def test_points_that_are_not_there_may_be_anything():
    points, valid, start = clouds(0)
    queries = points[..., :5, :]
    other = np.where(valid[..., None], points, np.float32(np.nan))
    for function in (
        lambda x: layers.farthest_points(x, 12, start, valid),
        lambda x: layers.nearest_points(x, queries, NUMBER, valid),
        lambda x: layers.points_within(x, queries, 14, NUMBER, valid),
    ):
        np.testing.assert_array_equal(function(points), function(other))
