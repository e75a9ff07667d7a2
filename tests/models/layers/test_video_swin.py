"""Windows of a video, token by token."""

import itertools

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.models.layers.drop_path import drop_path
from gaitjax.models.layers.video_swin import WindowAttention

WINDOW, SHIFT, HEADS = (3, 3, 5), (1, 1, 2), 2


def attend(params, x, shift):
    """The attention of one sequence [L, H, W, C], as Swin Transformers are defined."""
    length = len(x)
    frames = length if length <= 3 else -(-length // 3) * 3
    window = (min(3, length), *WINDOW[1:])
    shift = (0 if length <= 3 else shift[0], *shift[1:])
    x = np.pad(x, ((0, frames - length), (0, 0), (0, 0), (0, 0)))
    size = x.shape[:3]
    qkv = x @ params["qkv"]["kernel"] + params["qkv"]["bias"]
    queries, keys, values = np.moveaxis(qkv.reshape(*size, 3, HEADS, -1), 3, 0)
    table = params["relative_position_bias"].reshape(5, 5, 9, HEADS)

    def place(token):
        """Its window and its region in the video, after a cyclic shift."""
        at = [(i - s) % n for i, s, n in zip(token, shift, size, strict=True)]
        windows = [i // w for i, w in zip(at, window, strict=True)]
        wrapped = [i >= n - s for i, s, n in zip(at, shift, size, strict=True)]
        return windows, wrapped

    places = {token: place(token) for token in itertools.product(*map(range, size))}
    result = np.zeros_like(x)
    for a in places:
        near = [b for b in places if places[a] == places[b]]
        distances = tuple(np.subtract(a, b) + np.subtract(WINDOW, 1) for b in near)
        for head in range(HEADS):
            query = queries[a][head] / np.sqrt(queries.shape[-1])
            bias = [table[tuple(d)][head] for d in distances]
            scores = np.array([query @ keys[b][head] for b in near]) + bias
            weights = np.exp(scores) / np.exp(scores).sum()
            mixed = weights @ np.array([values[b][head] for b in near])
            result[a].reshape(HEADS, -1)[head] = mixed
    return (result @ params["proj"]["kernel"] + params["proj"]["bias"])[:length]


@pytest.mark.parametrize("shift", [(0, 0, 0), SHIFT])
def test_attention_is_that_within_windows_of_each_sequence_alone(shift):
    lengths = np.array([1, 2, 3, 4, 6, 8])
    with jax.enable_x64(True):
        rng = np.random.default_rng(0)
        x = rng.standard_normal((6, 8, 6, 10, 4))
        module = WindowAttention(HEADS, WINDOW, shift, jnp.float64)
        shapes = jax.eval_shape(module.init, jax.random.key(0), x, lengths)["params"]
        params = jax.tree.map(lambda s: rng.standard_normal(s.shape), shapes)
        found = jax.jit(module.apply)({"params": params}, x, lengths)
        for row, length in enumerate(lengths):
            expected = attend(params, x[row, :length], shift)
            np.testing.assert_allclose(found[row, :length], expected, atol=1e-10)


def test_drop_path_leaves_out_whole_sequences_and_scales_the_others():
    class Dropped(nn.Module):
        @nn.compact
        def __call__(self, x, train):
            return drop_path(x, 0.25, train)

    x = np.random.default_rng(0).random((400, 2, 3), "f4") + 1
    rngs = {"dropout": jax.random.key(0)}
    y = np.asarray(Dropped().apply({}, x, True, rngs=rngs))
    kept = (y != 0).all((1, 2))
    np.testing.assert_allclose(y[kept], x[kept] / 0.75, rtol=1e-6)
    assert not y[~kept].any()
    assert 0.65 < kept.mean() < 0.85
    np.testing.assert_array_equal(Dropped().apply({}, x, False), x)
