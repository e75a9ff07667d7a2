"""FoundationGait's own parts. The whole is compared with OpenGait's in the golden cases."""

import functools

import flax.linen as nn
import jax
import jax.numpy as jnp
import narrow
import numpy as np
import optax
import pytest

from gaitjax.data.batch import Batch
from gaitjax.errors import UserError
from gaitjax.interop import opengait
from gaitjax.models import Output, foundationgait_pretrain
from gaitjax.models.layers import foundation
from gaitjax.models.layers.projector import contrast
from gaitjax.training import state as states
from gaitjax.training import step

SOFTMAX = narrow.NETWORKS["foundationgait_pretrain"].losses


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


class Linear(foundationgait_pretrain.Model):
    """A teacher and a student that are one matrix each."""

    @nn.compact
    def __call__(self, inputs, lengths, *, train, draws=None):
        x = inputs["silhouette"][:, :1, 0]
        target = nn.Dense(3, name="teacher")(x)
        if not train:
            return Output(target)
        return Output(None, terms={"softmax": contrast(nn.Dense(3, name="student")(x), target)})


def test_the_teacher_begins_as_the_student_and_follows_it():
    model, tx = Linear({}, momentum=0.75, steps=11), optax.adam(0.1)
    inputs, lengths = narrow.sequences("foundationgait_pretrain", 4, 1), jnp.ones(4, int)
    create = functools.partial(states.create, model, tx, ("teacher/*",), 0)
    begun = jax.jit(create)(inputs, lengths)
    before = jax.tree.map(np.array, begun.params)
    jax.tree.map(np.testing.assert_array_equal, before["teacher"], before["student"])
    kept = str(jax.tree.structure(begun.opt_state))
    assert "student" in kept
    assert "teacher" not in kept

    function = jax.jit(step.make(model, tx, SOFTMAX, {}, 0, ("teacher/*",)), donate_argnums=0)
    after, _ = function(begun, Batch(inputs, lengths, {"identity": jnp.zeros(4, int)}))
    share = 1 - 0.25 * (1 + np.cos(np.pi / 10)) / 2
    for old, new, student in zip(
        *map(jax.tree.leaves, (before["teacher"], after.params["teacher"])),
        jax.tree.leaves(after.params["student"]),
        strict=True,
    ):
        assert abs(student - old).max() > 0.05
        np.testing.assert_allclose(new, share * old + (1 - share) * student, atol=1e-6)
    at_the_end = model.after_step(after.params, jnp.asarray(12))
    jax.tree.map(np.testing.assert_array_equal, at_the_end, after.params)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("foundationgait_pretrain", {"teacher_backbone", "student_backbone"}),
        ("foundationgait_finetune", {"teacher_backbone", "FCs", "BNNecks"}),
        ("foundationgait_attributes", {"teacher_backbone", "BNNeck_list"}),
    ],
)
def test_opengaits_state_dict_comes_back_to_the_bit(name, parts):
    model, variables = narrow.network(name)
    state = opengait.write(name, variables)
    assert {key.partition(".")[0] for key in state} == parts
    back = opengait.read(name, model, state)
    jax.tree.map(np.testing.assert_array_equal, back, variables)
