"""Every network takes OpenGait's state dict, and gives back the same bits."""

import json
from pathlib import Path

import numpy as np
import pytest

from gaitjax.interop import opengait
from scripts.golden import networks
from scripts.golden.rule import RULE

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = {
    case["model_cfg"]["model"]: case
    for path in sorted(GOLDEN.glob("*_train.json"))
    if "grads" in (case := json.loads(path.read_text()))
}
# whose cases are too large to be kept: tests/models/test_foundationgait.py
LARGE = {
    "FoundationGait_Scaling",
    "FoundationGait_Scaling_Finetune",
    "FoundationGait_Scaling_LinearProbing_RAGAR",
    "FoundationGait_Scaling_LinearProbing_Scoliosis1K",
}
NAMES = pytest.mark.parametrize("model", sorted(opengait.NETWORKS.keys() - LARGE))


@NAMES
def test_there_and_back_again_is_the_same_to_the_bit(model):
    case = CASES[model]
    state = networks.state_dict(case, RULE)
    back = opengait.dump(model, opengait.load(model, case["model_cfg"], state), step=7)
    theirs = {key: shape for key, shape, *_ in case["state_dict"]}
    assert {key: list(x.shape) for key, x in back.items()} == theirs
    for key, _, _, how in case["state_dict"]:
        if key.endswith(opengait.COUNTER):
            assert back[key] == 7
        elif how == "filled":
            np.testing.assert_array_equal(back[key], state[key])


@NAMES
def test_the_class_count_is_found_in_the_head(model):
    case, network = CASES[model], opengait.NETWORKS[model]
    built = opengait.build(model, case["model_cfg"])
    known = max(built.classes.values())

    def build(count):
        return built.clone(classes=opengait.classes_of(network, count))

    shapes = {key: np.empty(shape) for key, shape, *_ in case["state_dict"]}
    assert opengait.count_classes(network, build, shapes) == (known or None)
    assert opengait.count_classes(network, build, {}) == (0 if known else None)
