"""Everything in tests/golden, compared as scripts/check_golden.py compares it."""

from pathlib import Path

import jax
import pytest

from scripts.golden import cases

CASES = {case.name: case for case in cases.discover(Path(__file__).parent / "golden")}
# Of floating-point frames OpenCV takes sources in steps of 1/32 pixel: tests/data/test_augment.py.
ROUNDED = {f"transforms/Random{name}_float" for name in ("Rotate", "Perspective", "Affine")}

SLOW = {"gaitbase_train", "gaitbase_hid_train"}
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name
    for name in sorted(CASES.keys() - ROUNDED)
]


@pytest.fixture
def compiled_as_users_do():
    """Parity is of what users run; without optimisations XLA gets GaitBase's gradients wrong."""
    jax.config.update("jax_disable_most_optimizations", False)
    yield
    jax.config.update("jax_disable_most_optimizations", True)


@pytest.mark.parametrize("name", NAMES)
def test_equals_opengait(name, compiled_as_users_do):
    with jax.default_matmul_precision("highest"):
        outcome = cases.run(CASES[name])
    assert outcome.status == "pass", outcome.text
