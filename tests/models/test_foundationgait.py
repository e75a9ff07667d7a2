"""FoundationGait's own parts. The whole is compared with OpenGait's in the golden cases."""

import functools

import jax
import jax.numpy as jnp
import narrow
import numpy as np
import optax
import pytest

from gaitjax.data.batch import Batch
from gaitjax.errors import UserError
from gaitjax.interop import opengait
from gaitjax.models.layers import foundation
from gaitjax.training import state as states
from gaitjax.training import step


def encoder(x, lengths, train):
    """Means of 4 x 4 squares in the last frame that counts, and what tells one image from all."""
    last = jnp.asarray(x)[np.arange(len(x)), np.asarray(lengths) - 1]
    n, height, width, channels = last.shape
    means = last.reshape(n, height // 4, 4, width // 4, 4, channels).mean((2, 4))
    return jnp.concatenate(
        [means, jnp.broadcast_to(last.max((1, 2, 3))[:, None, None, None], means.shape)], -1
    )


def test_every_row_is_cut_in_its_own_way_and_put_together_again():
    crops = (4, 1, 2)
    rng = np.random.default_rng(0)
    x, lengths = rng.random((12, 3, 64, 8, 1), "f4"), rng.integers(1, 4, 12)
    found = np.asarray(foundation.encode_crops(encoder, x, lengths, True, crops))
    for row, (frames, length) in enumerate(zip(x, lengths, strict=True)):
        image, strips = frames[length - 1, :, :, 0], crops[row % 3]
        height = 64 // strips
        start = height // 2 if row % 6 >= 3 and strips > 1 else 0
        np.testing.assert_allclose(
            found[row, ..., 0], image.reshape(16, 4, 2, 4).mean((1, 3)), rtol=1e-6
        )
        for y in range(16):  # which strip a row of the map is in
            top = (4 * y + start) // height * height - start
            strip = image[max(top, 0) : top + height]
            np.testing.assert_array_equal(found[row, y, :, 1], strip.max())


def test_crops_that_do_not_fit_are_refused():
    x, lengths = jnp.zeros((6, 1, 64, 8, 1)), jnp.ones(6, int)
    with pytest.raises(UserError, match=r"batch of 6 rows is cut in 2 ways.*multiple of 4 rows"):
        foundation.encode_crops(encoder, x, lengths, True, (2, 1))
    with pytest.raises(UserError, match="16 strips of 64 pixels"):
        foundation.encode_crops(encoder, x, lengths, True, (16,))


def test_the_teacher_begins_as_the_student_and_follows_it():
    model, _ = narrow.network("foundationgait_pretrain")
    model = model.clone(momentum=0.75, steps=11)
    inputs, lengths = narrow.sequences("foundationgait_pretrain", 4, 2), jnp.full(4, 2)
    tx = optax.adam(0.1)
    create = functools.partial(states.create, model, tx, ("teacher/*",), 0)
    begun = jax.jit(create)(inputs, lengths)
    jax.tree.map(np.testing.assert_array_equal, begun.params["teacher"], begun.params["student"])
    kept = {jax.tree_util.keystr(path) for path, _ in jax.tree.leaves_with_path(begun.opt_state)}
    assert any("student" in path for path in kept)
    assert not any("teacher" in path for path in kept)

    losses = narrow.NETWORKS["foundationgait_pretrain"].losses
    function = jax.jit(step.make(model, tx, losses, {}, 0, ("teacher/*",)), donate_argnums=0)
    before = jax.tree.map(np.array, begun.params["teacher"])
    state, _ = function(begun, Batch(inputs, lengths, {"identity": jnp.zeros(4, int)}))
    share = 1 - 0.25 * (1 + np.cos(np.pi / 10)) / 2
    jax.tree.map(
        lambda old, new, student: np.testing.assert_allclose(
            new, share * old + (1 - share) * student, atol=1e-6
        ),
        before,
        jax.device_get(state.params["teacher"]),
        jax.device_get(state.params["student"]),
    )
    at_the_end = model.after_step(state.params, jnp.asarray(12))
    jax.tree.map(np.testing.assert_array_equal, at_the_end["teacher"], state.params["teacher"])


def test_opengaits_state_dict_comes_back_to_the_bit():
    model, variables = narrow.network("foundationgait_pretrain")
    state = opengait.write("foundationgait_pretrain", variables)
    assert {key.partition(".")[0] for key in state} == {"teacher_backbone", "student_backbone"}
    back = opengait.read("foundationgait_pretrain", model, state)
    jax.tree.map(np.testing.assert_array_equal, back, variables)
