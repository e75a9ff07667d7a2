"""BiggerGait's own parts. The whole is compared with OpenGait's in tests/golden."""

import functools

import jax
import jax.numpy as jnp
import narrow
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.interop import opengait
from gaitjax.models import biggergait


def test_neighbouring_groups_share_a_network():
    names = [f"HumanSpace_Conv.{i}.4.bias" for i in range(6)]
    names += [f"Gait_Net.real_gait.{i}.FCs.fc_bin" for i in range(2)]
    assert biggergait.copies(names) == {
        f"Gait_Net.Gait_List.{group}.FCs.fc_bin": f"Gait_Net.real_gait.{group // 3}.FCs.fc_bin"
        for group in range(6)
    }


def test_a_shared_network_that_is_not_the_same_everywhere_is_refused():
    model, variables = narrow.network("biggergait")
    state = opengait.write("biggergait", variables)
    state["Gait_Net.Gait_List.1.FCs.fc_bin"] = state["Gait_Net.Gait_List.1.FCs.fc_bin"] + 1
    del state["Gait_Net.Gait_List.0.FCs.fc_bin"]
    with pytest.raises(UserError) as error:
        opengait.read("biggergait", model, state)
    for fault in (
        "- Gait_Net.Gait_List.0.FCs.fc_bin is missing",
        "! Gait_Net.Gait_List.1.FCs.fc_bin is not the same as Gait_Net.real_gait.0.FCs.fc_bin",
    ):
        assert fault in str(error.value)


def test_the_branch_that_finds_the_person_keeps_its_statistics_if_it_is_fixed():
    model, variables = narrow.network("biggergait", fixed_mask=True)
    apply = functools.partial(model.apply, train=True, mutable=["batch_stats"])
    _, updated = jax.jit(apply)(variables, narrow.sequences("biggergait", 2, 1), jnp.ones(2, int))
    before, after = (x["batch_stats"]["mask"] for x in (variables, updated))
    jax.tree.map(np.testing.assert_array_equal, before, after)


def test_what_frames_vision_and_groups_do_not_fit_is_named():
    model, _ = narrow.network("biggergait")
    lengths = jnp.ones(1, int)

    def shapes(model, *shape):
        init = functools.partial(model.init, train=False)
        jax.eval_shape(init, jax.random.key(0), {"rgb": jnp.zeros((1, 1, *shape, 3))}, lengths)

    with pytest.raises(UserError, match=r"frames of 32 x 24 pixels .* whose ratio is needed"):
        shapes(model, 32, 24)
    with pytest.raises(UserError, match="images of 100 x 50 pixels"):
        shapes(model.clone(image=50), 28, 14)
    with pytest.raises(UserError, match="heads is 5; expected a divisor of its width, 12"):
        shapes(model.clone(vision={**model.vision, "heads": 5}), 28, 14)
    with pytest.raises(UserError, match=r"group is 1 and config.model.networks 3; .* 2 blocks"):
        shapes(model.clone(networks=3), 28, 14)
