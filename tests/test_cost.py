"""Multiply-adds are counted as papers do, memory as XLA sets it aside."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax import cost

A, B = jnp.ones((5, 3)), jnp.ones((3, 7))
IMAGE = jnp.ones((2, 8, 6, 4))
NUMBERS = ("NHWC", "HWIO", "NHWC")


def convolve(x, shape, groups=1, **options):
    return jax.lax.conv_general_dilated(
        x,
        jnp.ones(shape),
        **{"window_strides": (1, 1), "padding": "SAME", "dimension_numbers": NUMBERS, **options},
        feature_group_count=groups,
    )


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        (jnp.matmul, (A, B), 5 * 3 * 7),
        (lambda a, b: jnp.tanh(a + 1) @ (2 * b), (A, B), 5 * 3 * 7),
        (lambda x: jnp.einsum("nhwc,nhwd->ncd", x, x), (IMAGE,), 2 * 48 * 4 * 4),
        (lambda x: convolve(x, (3, 3, 4, 9)), (IMAGE,), 2 * 48 * 9 * 9 * 4),
        (lambda x: convolve(x, (3, 3, 4, 9), window_strides=(2, 2)), (IMAGE,), 2 * 12 * 9 * 9 * 4),
        (lambda x: convolve(x, (3, 3, 2, 8), groups=2), (IMAGE,), 2 * 48 * 8 * 9 * 2),
        # transposed: every value of the image meets every weight once
        (
            lambda x: convolve(x, (2, 2, 4, 9), lhs_dilation=(2, 2), padding=[(1, 1), (1, 1)]),
            (IMAGE,),
            2 * 48 * 4 * 9 * 4,
        ),
        (lambda a, b: jax.jit(lambda x: jax.nn.relu(x @ b))(a), (A, B), 105),
        (lambda a, b: jax.lax.scan(lambda s, x: (s + x @ b, 0), jnp.zeros(7), a), (A, B), 105),
    ],
)
def test_products_of_matrices_are_counted(function, arguments, expected):
    shapes = [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in arguments]
    assert cost.multiply_adds(function, *shapes) == expected


def test_memory_is_what_lies_between_and_the_result():
    x = jax.ShapeDtypeStruct((100, 100), np.float32)
    assert cost.peak_memory(lambda x: x + 1, x) == 40_000
    assert 80_000 <= cost.peak_memory(lambda x: (x @ x) @ x, x) < 200_000
