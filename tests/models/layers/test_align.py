"""Alignment of silhouettes: against loops over its definitions, and what it promises."""

import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.models.layers import align


def bilinear(x, row, column):
    """One sample: 0 further than a pixel outside, the outermost pixel up to there."""
    H, W = x.shape
    if not (-1 <= row <= H and -1 <= column <= W):
        return 0
    row, column = min(max(row, 0), H - 1), min(max(column, 0), W - 1)
    top, left = int(row), int(column)
    corners = itertools.product((top, min(top + 1, H - 1)), (left, min(left + 1, W - 1)))
    (a, b), (c, d) = np.reshape([x[corner] for corner in corners], (2, 2))
    across = column - left
    return (1 - row + top) * (a + across * (b - a)) + (row - top) * (c + across * (d - c))


def naive_roi_align(x, box, height, width):
    left, top, right, bottom = box
    size = max(bottom - top, 1) / height, max(right - left, 1) / width
    samples = [math.ceil(s) for s in size]
    result = np.zeros((height, width))
    for i, j in itertools.product(range(height), range(width)):
        places = [
            [start + s * (k + (g + 0.5) / n) for g in range(n)]
            for start, s, k, n in zip((top, left), size, (i, j), samples, strict=True)
        ]
        result[i, j] = np.mean([bilinear(x, r, c) for r, c in itertools.product(*places)])
    return result


@pytest.mark.parametrize(
    "box",
    [
        (1, 2, 6, 9),  # bins larger than a pixel
        (2.3, 1.7, 5.1, 3.2),  # and smaller
        (-2.5, 0, 6.5, 11),  # partly outside
        (0, 0, 9, 11),  # all of it
        (4, 11, 5, 1),  # behind the last row, of negative height
        (6, 3, 2, 8),
    ],
)
def test_roi_align_is_the_mean_of_bilinear_samples(box):
    x = np.random.default_rng(0).random((11, 9), np.float32)
    found = align.roi_align(x, jnp.array(box, jnp.float32), 4, 3)
    np.testing.assert_allclose(found, naive_roi_align(x, box, 4, 3), atol=1e-5)


def test_dilation_and_erosion_look_at_squares_within_the_frame():
    x = np.random.default_rng(0).random((2, 6, 5), np.float32)
    squares = [
        [x[:, max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2] for j in range(5)] for i in range(6)
    ]
    for function, of in ((align.dilate, np.max), (align.erode, np.min)):
        expected = np.moveaxis([[of(s, (1, 2)) for s in row] for row in squares], -1, 0)
        np.testing.assert_array_equal(function(x, 3), expected)


def test_only_the_edge_of_a_synthesised_silhouette_follows_the_prediction():
    silhouette = jnp.zeros((9, 9)).at[2:7, 2:7].set(1)
    prediction = jnp.full((9, 9), 0.3)
    found, pullback = jax.vjp(lambda p: align.synthesise(p, silhouette, 3), prediction)
    expected = np.zeros((9, 9))
    expected[1:8, 1:8] = 0.3
    expected[3:6, 3:6] = 1
    np.testing.assert_allclose(found, expected)
    np.testing.assert_array_equal(pullback(jnp.ones((9, 9)))[0], expected == 0.3)


def person(top, left):
    """A cross of 20 rows and 8 columns, on a frame of 32 x 32."""
    frame = np.zeros((32, 32), np.float32)
    frame[top : top + 20, left + 3 : left + 5] = 1
    frame[top + 4 : top + 8, left : left + 8] = 1
    return jnp.asarray(frame)


def test_alignment_does_not_depend_on_where_a_person_is():
    frames = jnp.stack([person(6, 12), person(0, 12), person(11, 16), person(3, 9)])
    first, *others = align.align(frames, frames, jnp.full(4, 0.5), 16, 12)
    assert (first.max(1) > 0).all()  # from the first row to the last
    assert abs(jnp.average(jnp.arange(12), weights=first.sum(0)) - 5.5) < 1  # in the middle
    for other in others:
        np.testing.assert_allclose(other, first, atol=1e-6)


def test_a_frame_without_a_person_stays_empty():
    nobody = jnp.zeros((32, 32))
    np.testing.assert_array_equal(align.align(nobody, nobody, jnp.float32(0.5), 16, 12), 0)
