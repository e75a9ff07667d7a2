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


def run(name):
    with jax.default_matmul_precision("highest"):
        return cases.run(CASES[name])


@pytest.mark.parametrize("name", NAMES)
def test_equals_opengait(name):
    outcome = run(name)
    if outcome.status == "fail":  # unoptimised code rounds more than what check_golden.py runs
        jax.config.update("jax_disable_most_optimizations", False)
        try:
            outcome = run(name)
        finally:
            jax.config.update("jax_disable_most_optimizations", True)
    assert outcome.status == "pass", outcome.text
