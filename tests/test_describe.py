"""What a network costs, beside what was measured of OpenGait's."""

import importlib

import pytest

from gaitjax import describe

# config:dataset, stored height, classes -> parameters of all and of the head [M], and multiply-adds
# a frame [G], of OpenGait's modules as PyTorch counts them
MEASURED = [
    ("gaitset:casia_b", 64, 0, 2.595, 0, 0.109),
    ("gaitset:oumvlp", 64, 0, 6.314, 0, 0.430),
    ("gaitpart:casia_b", 64, 0, 1.204, 0, 0.107),
    ("gaitbase:casia_b", 64, 74, 7.305, 0.303, 1.179),
    ("gaitbase:hid", 128, 500, 12.730, 3.968, 2.302),
    ("deepgaitv2:casia_b", 64, 74, 8.339, 0.303, 1.386),
    ("deepgaitv2:gait3d", 64, 3000, 25.492, 12.288, 2.840),
    ("gaitgl:casia_b", 64, 74, 3.097, 0.606, 0.421),
    ("lidargait:sustech1k", 64, 250, 8.027, 1.024, 1.718),
    ("skeletongaitpp:gait3d", 64, 3000, 25.569, 12.288, 3.054),
    ("smplgait:gait3d", 64, 3000, 27.111, 23.808, 0.422),
]


@pytest.mark.parametrize(("name", "height", "classes", "all_", "head", "multiply_adds"), MEASURED)
def test_networks_cost_what_was_measured(name, height, classes, all_, head, multiply_adds):
    module, _, dataset = name.partition(":")
    config = importlib.import_module(f"configs.{module}").get_config(dataset)
    card = describe.describe(config, classes, height)
    assert card.head / 1e6 == pytest.approx(head, abs=6e-4)
    assert (card.parameters + card.head) / 1e6 == pytest.approx(all_, abs=6e-4)
    assert card.multiply_adds / 1e9 == pytest.approx(multiply_adds, rel=0.02)
