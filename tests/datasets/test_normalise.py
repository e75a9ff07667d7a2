"""The cut of silhouettes equals OpenGait's to the pixel."""

import json
from pathlib import Path

import numpy as np
import pytest

from gaitjax.datasets.normalise import normalise

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "pretreatment_sil.json").read_text())["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['image']}-{case['img_size']}")
def test_equals_the_reference(case):
    size, image = case["img_size"], case["image"]
    with np.load(GOLDEN / "pretreatment_sil.npz") as arrays:
        cut = normalise(arrays[f"in/{image}"], size)
        if case["out"] is None:
            assert cut is None
        else:
            np.testing.assert_array_equal(cut, arrays[f"out{size}/{image}"][0])


def test_a_line_or_nothing_is_no_person():
    assert normalise(np.zeros((80, 60), np.uint8)) is None
    assert normalise(np.full((200, 1), 255, np.uint8)) is None


def test_size_and_place_in_the_image_do_not_matter():
    person = np.zeros((240, 320), np.uint8)
    person[60:188, 100:140] = 255
    moved = np.roll(person, (30, 70), axis=(0, 1))
    np.testing.assert_array_equal(normalise(person), normalise(moved))
