"""State dicts of OpenGait, in and out, strictly."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.interop import opengait

CONFIG = {
    "model": "Baseline",
    "backbone_cfg": {
        "type": "ResNet9",
        "channels": [4, 6, 8, 10],
        "layers": [1, 2, 1, 1],
        "strides": [1, 2, 2, 1],
        "maxpool": False,
    },
    "SeparateFCs": {"in_channels": 10, "out_channels": 5, "parts_num": 16},
    "SeparateBNNecks": {"class_num": 3, "in_channels": 5, "parts_num": 16},
    "bin_num": [16],
}


def state_dict():
    """As OpenGait would write it, of random values."""
    inputs = {"silhouette": jnp.zeros((1, 1, 64, 44))}
    model = opengait.build("Baseline", CONFIG)
    init = jax.jit(functools.partial(model.init, train=False))
    variables = init(jax.random.key(0), inputs, jnp.ones(1, int))
    names = opengait.dump("Baseline", variables)
    rng = np.random.default_rng(0)
    return {
        name: rng.standard_normal(value.shape).astype("f4")
        for name, value in names.items()
        if not name.endswith(opengait.COUNTER)
    }


def test_there_and_back_again_is_the_same_to_the_bit():
    theirs = state_dict()
    back = opengait.dump("Baseline", opengait.load("Baseline", CONFIG, theirs), step=7)
    counters = {name for name in back if name.endswith("num_batches_tracked")}
    assert {int(back[name]) for name in counters} == {7}
    assert back.keys() - counters == theirs.keys()
    for name, value in theirs.items():
        np.testing.assert_array_equal(back[name], value)


def test_every_fault_is_listed():
    theirs = state_dict()
    del theirs["FCs.fc_bin"]
    theirs["Backbone.forward_block.bn1.bias"] = np.zeros(5)
    theirs["BNNecks.bn1d.weight"] = np.zeros(7)
    theirs["Extra.weight"] = np.zeros(1)
    with pytest.raises(UserError) as error:
        opengait.load("Baseline", CONFIG, theirs)
    for fault in (
        "FCs.fc_bin is missing",
        "Backbone.forward_block.bn1.bias is [5], not [4]",
        "BNNecks.bn1d.weight is [7], not [80]",
        "Extra.weight has no place",
    ):
        assert fault in str(error.value)


def test_unknown_networks_and_short_configs_are_named():
    with pytest.raises(UserError, match="OpenGait's 'GaitFoo'"):
        opengait.build("GaitFoo", {})
    with pytest.raises(UserError, match="model_cfg of GaitSet is not complete"):
        opengait.build("GaitSet", {"bin_num": [16]})
