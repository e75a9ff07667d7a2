"""Runs that start from the checkpoints of others."""

import jax
import numpy as np
import pytest
import tiny

from gaitjax.errors import UserError
from gaitjax.training import loop, transfer
from gaitjax.training import mesh as meshes
from gaitjax.training.checkpoint import Checkpoints
from gaitjax.training.state import State
from tests.training import dropping

SHAPES = {
    "params": {
        "stem": {"kernel": (3, 2)},
        "body": {"kernel": (2, 2), "bias": (2,)},
        "head": {"kernel": (2, 5)},
    },
    "batch_stats": {"norm": {"mean": (2,)}},
}


def variables(value: float, **shapes: tuple[int, ...]):
    """Arrays of SHAPES, but for heads of other shapes, all of one value."""
    made = {**SHAPES, "params": {**SHAPES["params"], **{"head": {"kernel": (2, 5), **shapes}}}}
    full = jax.tree.map(
        lambda shape: np.full(shape, value, np.float32), made, is_leaf=lambda x: type(x) is tuple
    )
    return jax.device_put(full, meshes.replicated(meshes.all_devices()))


def write(workdir, params, batch_stats):
    with Checkpoints(workdir, 1) as checkpoints:
        state = State(jax.numpy.asarray(7), params, batch_stats, {})
        checkpoints.save(7, state, {"config": {"network": "other"}}, None)


def values(tree) -> dict[str, set[float]]:
    return {
        jax.tree_util.keystr(path, simple=True, separator="/"): set(np.unique(x).tolist())
        for path, x in jax.tree_util.tree_leaves_with_path(tree)
    }


def test_what_fits_by_name_and_shape_is_taken_and_the_rest_is_told(tmp_path):
    theirs = variables(1.0, kernel=(2, 9))
    params = {**theirs["params"], "projector": {"a": {"kernel": np.ones(3)}, "b": np.ones(3)}}
    write(tmp_path, params, theirs["batch_stats"])
    ours = variables(2.0)
    plan = transfer.plan("gaitset", ours, tmp_path)
    assert values(transfer.take(ours, plan)) == {
        "batch_stats/norm/mean": {1},
        "params/body/bias": {1},
        "params/body/kernel": {1},
        "params/head/kernel": {2},
        "params/stem/kernel": {1},
    }
    assert plan.lines == (
        f"4 of 5 arrays are those of {tmp_path}, step 7",
        "left as they were here: params/head",
        "not needed from there: params/head, params/projector",
        "params/head/kernel is [2, 9] there, [2, 5] here",
    )


def test_nothing_that_fits_is_an_error(tmp_path):
    write(tmp_path, {"else": {"kernel": np.ones(3)}}, {})
    with pytest.raises(UserError, match=r"init_from: nothing in .* checkpoint of 'other'"):
        transfer.plan("gaitset", variables(0.0), tmp_path)


def test_a_run_takes_one_checkpoint_after_another(tree, tmp_path, caplog):
    write(tmp_path / "a", {"stem": {"bias": np.full(4, 3.0)}, "embed": {"bias": np.ones(4)}}, {})
    write(tmp_path / "b", {"embed": {"bias": np.full(4, 5.0)}}, {})
    config = dropping.use(tiny.config(tree))
    config.freeze = ("stem/*", "embed/*")
    config.train.update(steps=1, init_from=(str(tmp_path / "a"), str(tmp_path / "b")))
    with caplog.at_level("INFO", logger="gaitjax"):
        loop.train(config, tmp_path / "run", tmp_path)
    saved = tiny.saved(tmp_path / "run", 1)
    assert set(saved["params/stem/bias"]) == {3.0}
    assert set(saved["params/embed/bias"]) == {5.0}
    assert f"2 of 10 arrays are those of {tmp_path / 'a'}, step 7" in caplog.text
    assert "60 of them frozen" in caplog.text

    config.train.init_from = ()
    with pytest.raises(UserError, match=r"config\.train\.init_from"):
        loop.train(config, tmp_path / "run", tmp_path)
    config.train.init_from = (str(tmp_path / "nowhere"),)
    with pytest.raises(UserError, match="no checkpoint in"):
        loop.train(config, tmp_path / "new", tmp_path)
    assert not (tmp_path / "new").exists()
