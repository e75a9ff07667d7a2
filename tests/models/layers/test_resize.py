"""Resizing, pixel by pixel."""

import numpy as np
import pytest

from gaitjax.models.layers.resize import resize_bilinear


@pytest.mark.parametrize(("height", "width"), [(4, 5), (9, 3), (1, 1)])
def test_resizing_is_bilinear_between_corners_that_stay(height, width):
    x = np.random.default_rng(0).random((2, 3, 6, 7, 2), "f4")
    found = resize_bilinear(x, height, width)
    assert found.shape == (2, 3, height, width, 2)
    for i in range(height):
        for j in range(width):
            row = i * 5 / max(height - 1, 1)
            column = j * 6 / max(width - 1, 1)
            top, left = int(row), int(column)
            bottom, right = min(top + 1, 5), min(left + 1, 6)
            a, b = row - top, column - left
            upper = (1 - b) * x[:, :, top, left] + b * x[:, :, top, right]
            lower = (1 - b) * x[:, :, bottom, left] + b * x[:, :, bottom, right]
            np.testing.assert_allclose(found[:, :, i, j], (1 - a) * upper + a * lower, atol=1e-6)
