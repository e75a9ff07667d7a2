"""One small dataset for all tests of training, and no time lost to optimising their code."""

from pathlib import Path

import jax
import pytest
import tiny


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "tree"
    tiny.write_tree(root)
    return root


@pytest.fixture(autouse=True)
def _quick():
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", before)
