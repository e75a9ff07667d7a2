"""Shared layers against PyTorch's definitions, written out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import same_conv
from gaitjax.models.layers.pooling import (
    horizontal_pyramid,
    largest,
    max_pool_2x2,
    set_max,
)
from gaitjax.models.layers.separate import parts_xavier


def test_batch_norm_leaves_padding_out_and_counts_without_bias():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 4, 2, 2, 5)).astype(np.float32)
    valid = np.arange(4) < np.array([4, 1, 2])[:, None]
    norm = BatchNorm(jnp.float32)
    variables = norm.init(jax.random.key(0), x, train=False)
    y, changed = norm.apply(variables, x, True, valid, mutable=["batch_stats"])

    samples = x[valid].reshape(-1, 5)
    expected = (x - samples.mean(0)) / np.sqrt(samples.var(0) + 1e-5)
    np.testing.assert_allclose(y, expected * variables["params"]["scale"], atol=1e-5)
    stats = changed["batch_stats"]
    np.testing.assert_allclose(stats["mean"], 0.1 * samples.mean(0), atol=1e-6)
    np.testing.assert_allclose(stats["var"], 0.9 + 0.1 * samples.var(0, ddof=1), atol=1e-6)


@pytest.mark.parametrize(("images", "size"), [(16, 3), (3, 5), (1, 1)])
def test_convolution_has_the_gradients_of_its_definition(images, size):
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((images, 7, 6, 3)))
    kernel = jnp.asarray(rng.standard_normal((size, size, 3, 4)))
    weight = jnp.asarray(rng.standard_normal((images, 7, 6, 4)))

    def by_definition(x, kernel):
        half = size // 2
        x = jnp.pad(x, ((0, 0), (half, half), (half, half), (0, 0)))
        shifts = [
            jnp.einsum("mhwc,cd->mhwd", x[:, i : i + 7, j : j + 6], kernel[i, j])
            for i in range(size)
            for j in range(size)
        ]
        return sum(shifts)

    results = [
        jax.jit(jax.value_and_grad(lambda *a, f=f: (f(*a) * weight).sum(), (0, 1)))(x, kernel)
        for f in (same_conv, by_definition)
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-4), *results)


def test_max_pool_drops_odd_edges_and_gives_ties_to_the_first():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, 5, 7, 3)))
    squares = x[:, :4, :6].reshape(2, 2, 2, 3, 2, 3)
    np.testing.assert_array_equal(max_pool_2x2(x), squares.max((2, 4)))
    gradient = jax.grad(lambda x: max_pool_2x2(x).sum())(jnp.ones((2, 2, 1)))
    np.testing.assert_array_equal(gradient[..., 0], [[1, 0], [0, 0]])


def test_largest_gives_ties_to_the_first():
    x = jnp.asarray(np.random.default_rng(0).standard_normal((2, 5, 3)))
    np.testing.assert_array_equal(largest(x, 1), x.max(1))
    gradient = jax.grad(lambda x: (3 * largest(x, 0)).sum())(jnp.array([[1.0], [2.0], [2.0]]))
    np.testing.assert_array_equal(gradient, [[0], [3], [0]])


def test_set_max_looks_at_valid_frames_alone():
    x = jnp.array([[[-3.0], [-2.0], [9.0]], [[1.0], [0.0], [2.0]]])
    np.testing.assert_array_equal(set_max(x, jnp.array([2, 3])), [[-2.0], [2.0]])


def test_horizontal_pyramid_goes_from_fine_to_coarse_and_from_top_to_bottom():
    x = jnp.arange(8.0).reshape(1, 4, 2, 1)
    np.testing.assert_array_equal(
        horizontal_pyramid(x, (2, 1))[0, :, 0], [1.5 + 3, 5.5 + 7, 3.5 + 7]
    )
    with pytest.raises(UserError, match="3 strips do not divide a map of 4 x 2"):
        horizontal_pyramid(x, (3,))


def test_part_kernels_are_drawn_with_the_fans_that_pytorch_counts():
    parts, c_in, c_out = 4, 30, 50
    kernel = parts_xavier(jax.random.key(0), (parts, c_in, c_out), jnp.float32)
    bound = (6 / (c_in * c_out + parts * c_out)) ** 0.5
    assert bound * 0.99 < abs(kernel).max() <= bound
