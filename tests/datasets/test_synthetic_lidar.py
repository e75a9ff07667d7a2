"""The LiDAR measures the surface of the walkers: exact rays through hulls of balls beside its."""

import numpy as np
import pytest

from gaitjax.datasets.synthetic import lidar
from gaitjax.datasets.synthetic.flesh import Solid
from gaitjax.datasets.synthetic.modalities import RECORDERS
from gaitjax.datasets.synthetic.sequence import shoot

RNG = np.random.default_rng(0)


def nearest_of_balls(rays, centres, radii):
    """How far along unit rays from the origin the first of many balls is; NaN beside all."""
    along = rays @ centres.T
    below = along**2 - (centres**2).sum(1) + radii**2
    distance = np.where(below >= 0, along - np.sqrt(np.maximum(below, 0)), np.inf).min(1)
    return np.where(np.isfinite(distance), distance, np.nan)


@pytest.mark.parametrize("radii", [(0.05, 0.05), (0.3, 0.1)], ids=["limb", "cone"])
def test_depths_are_those_of_the_balls_between_two_balls(radii):
    ends = np.array([[6.9, -0.1, -0.2], [7.1, 0.2, 0.1]])
    axes = np.array(radii)[:, None, None] * np.eye(3)
    normals, offsets = lidar.facets(Solid(ends[None], axes[None], np.array([[0, 1]])))
    share = np.linspace(0, 1, 1000)[:, None]
    between = ends[0] + share * (ends[1] - ends[0])
    rays = between[RNG.integers(0, 1000, 200)] + 0.3 * radii[1] * RNG.uniform(-1, 1, (200, 3))
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    expected = nearest_of_balls(rays, between, radii[0] + share[:, 0] * (radii[1] - radii[0]))
    found = lidar.depths(rays, np.repeat(normals[0], 200, 0), np.repeat(offsets[0], 200, 0))
    assert np.isfinite(expected).all()
    assert np.isfinite(found).all()
    assert (found <= expected + 1e-3).all()  # the planes lie around the hull
    assert (expected - found).max() < 0.25 * max(radii)
    assert (expected - found).mean() < 0.06 * max(radii)


def test_rays_beside_a_body_measure_nothing():
    ball = Solid(np.array([[[7.0, 0, 0]]]), 0.2 * np.eye(3)[None, None], np.array([[0]]))
    normals, offsets = lidar.facets(ball)
    rays = np.array([[1, 0, 0], [1, 0.05, 0], [0, 1, 0]])
    found = lidar.depths(rays, np.repeat(normals[0], 3, 0), np.repeat(offsets[0], 3, 0))
    np.testing.assert_allclose(found[0], 6.8, atol=0.02)
    assert np.isnan(found[1:]).all()


def test_clouds_are_as_tall_as_the_walker_and_7_metres_away():
    shot = shoot(0, "001", "nm-01", "090", (4, 4))
    clouds = RECORDERS["points"](shot)
    assert clouds.dtype == np.float32
    assert clouds.shape[::2] == (4, 3)
    head = shot.walk.skeleton.points["head"][:, 2] + shot.walk.body["head_height"]
    for cloud, top in zip(clouds, head, strict=True):
        x, y, z = cloud[np.isfinite(cloud[:, 0])].T
        assert len(x) > 150
        assert 6 < x.min() < x.max() < 8
        assert abs(y).max() < 1.5
        assert top - 0.15 < np.ptp(z) < top + 0.1


def test_clouds_are_the_same_on_every_call():
    first, second = (RECORDERS["points"](shoot(0, "001", "cl-01", "000", (3, 3))) for _ in range(2))
    np.testing.assert_array_equal(first, second)
