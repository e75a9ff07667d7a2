"""Everything in tests/golden, compared as scripts/check_golden.py compares it."""

import re
from pathlib import Path

import jax
import pytest

from scripts.golden import cases

CASES = {case.name: case for case in cases.discover(Path(__file__).parent / "golden")}
# The others are full-size networks, most of them over videos.
QUICK = re.compile("(gaitset|gaitbase_eval|eval_)|(?!.*_(eval|train))")
NAMES = [
    name if QUICK.match(name) else pytest.param(name, marks=pytest.mark.slow)
    for name in sorted(CASES)
]


@pytest.mark.parametrize("name", NAMES)
def test_equals_opengait(name):
    with jax.default_matmul_precision("highest"):
        outcome = cases.run(CASES[name])
    assert outcome.status == "pass", outcome.text
