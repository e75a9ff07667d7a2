"""LidarGait++: its slices of the body, its draws, and what it refuses."""

import functools

import jax
import jax.numpy as jnp
import narrow
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.interop import opengait
from gaitjax.models import lidargaitpp

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("number", [1, 3, 4])
def test_slices_are_those_of_a_loop(number):
    x = RNG.standard_normal((2, 9, 5)).astype("f4")
    shares = RNG.uniform(-0.2, 0.6, (2, 9)).astype("f4")  # some below, and the upper slices empty
    shares[:, 0] = np.float32(1) / np.float32(number)  # on the edge: in the lower slice
    found = lidargaitpp.pool_slices(x, shares, number)
    for cloud, heights, slices in zip(x, shares, found, strict=True):
        edges = [-np.inf, *(np.arange(1, number, dtype="f4") / np.float32(number)), np.inf]
        for i, expected in enumerate(slices):
            points = cloud[(edges[i] < heights) & (heights <= edges[i + 1])]
            pooled = points.max(0) + points.mean(0) if len(points) else np.zeros(5)
            np.testing.assert_allclose(expected, pooled, atol=1e-6)


def test_the_gradient_of_an_empty_slice_is_a_number():
    x, shares = RNG.standard_normal((4, 3)).astype("f4"), np.full(4, 0.1, "f4")
    gradient = jax.grad(lambda x: lidargaitpp.pool_slices(x, shares, 2).sum())(x)
    assert np.isfinite(gradient).all()


def test_draws_of_a_frame_do_not_depend_on_those_behind_it():
    model, _ = narrow.network("lidargaitpp")
    few, many = (np.asarray(model.draw(jax.random.key(0), n, 16)) for n in (5, 40))
    np.testing.assert_array_equal(few, many[:, :, :5])
    assert [int(level.max()) for level in many] == [15, 11, 7]
    assert int(many.min()) == 0


def test_training_draws_by_the_key():
    model, variables = narrow.network("lidargaitpp")
    inputs, lengths = narrow.sequences("lidargaitpp", 2, 3), jnp.array([3, 3])

    @jax.jit
    def embed(seed):
        rngs = {"dropout": jax.random.key(seed)}
        return model.apply(variables, inputs, lengths, train=False, rngs=rngs).embeddings

    np.testing.assert_array_equal(embed(1), embed(1))
    assert np.abs(embed(1) - embed(2)).max() > 1e-3


@pytest.mark.parametrize(
    "options", [{"grouping": "ball", "heights": False, "pool": "uap"}, {"pool": "udp"}]
)
def test_padding_and_neighbours_change_nothing_whatever_is_pooled(options):
    model = narrow.network("lidargaitpp")[0].clone(**options)
    inputs, other = (narrow.sequences("lidargaitpp", 2, 5, seed)["points"] for seed in (0, 1))
    lengths = jnp.array([2, 5])
    other[0, :2] = inputs[0, :2]
    variables = jax.jit(functools.partial(model.init, train=False))(
        jax.random.key(0), {"points": inputs}, lengths
    )
    embed = jax.jit(functools.partial(model.apply, train=False))
    found, expected = (embed(variables, {"points": x}, lengths).embeddings for x in (other, inputs))
    np.testing.assert_array_equal(found[0], expected[0])
    assert np.abs(found[1] - expected[1]).max() > 1e-3


@pytest.mark.parametrize(
    ("options", "shape", "fault"),
    [
        ({}, (16, 3), "points of 3 numbers.* heights=True"),
        ({}, (3, 4), "clouds of 3 points.* no fewer than config.model.neighbours"),
        ({"grouping": "knn"}, (16, 4), "config.model.grouping is 'knn'; expected nearest or ball"),
        ({"pool": "max"}, (16, 4), "config.model.pool is 'max'; expected hap or uap or udp"),
    ],
)
def test_what_it_cannot_read_is_named(options, shape, fault):
    model, variables = narrow.network("lidargaitpp")
    with pytest.raises(UserError, match=fault):
        model.clone(**options).apply(
            variables, {"points": jnp.zeros((1, 1, *shape))}, jnp.ones(1, int), train=False
        )


def test_the_broken_pooling_of_opengait_is_refused():
    with pytest.raises(UserError, match="pool is 'VLAD'; expected PPP_HAP"):
        opengait.build("LidarGaitPlusPlus", {"pool": "VLAD", "channel": 16})
