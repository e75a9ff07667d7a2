"""What is kept of a run, and what is refused."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.training import checkpoint, loop
from gaitjax.training import mesh as meshes
from gaitjax.training.checkpoint import Checkpoints, Found
from gaitjax.training.state import State


def state_of(step: int) -> State:
    params = {"layer": {"kernel": jnp.full((50, 40), float(step))}}
    return State(jnp.asarray(step), params, {}, {})


def keep(workdir: Path, scores: dict[int, float | None], number: int = 2) -> None:
    with Checkpoints(workdir, number) as checkpoints:
        for step, score in scores.items():
            checkpoints.save(step, state_of(step), {"of": step}, score)


def like(state: State) -> State:
    return checkpoint.abstract(state, meshes.replicated(meshes.local_devices()))


def test_the_latest_and_the_best_are_kept(tmp_path):
    keep(tmp_path, {1: 5.0, 2: 9.0, 3: None, 4: 7.0, 5: None})
    assert sorted(p.name for p in (tmp_path / "checkpoints").iterdir()) == ["2", "4", "5"]


def test_what_was_saved_is_found_again(tmp_path):
    keep(tmp_path, {3: None, 7: None})
    for path, step in ((tmp_path, 7), (tmp_path / "checkpoints/3", 3)):
        found = Found(path)
        assert (found.step, found.meta, found.folder) == (step, {"of": step}, tmp_path)
        variables = found.variables(like(state_of(0)).variables)
        np.testing.assert_array_equal(
            variables["params"]["layer"]["kernel"], np.full((50, 40), step)
        )
    with Checkpoints(tmp_path, 2) as checkpoints:
        assert int(checkpoints.restore(3, like(state_of(0))).step) == 3


def test_a_half_written_checkpoint_is_none(tmp_path):
    keep(tmp_path, {3: None})
    (tmp_path / "checkpoints/4.orbax-checkpoint-tmp/state").mkdir(parents=True)
    assert checkpoint.latest_step(tmp_path) == 3
    assert Found(tmp_path).step == 3
    keep(tmp_path, {4: None})
    assert checkpoint.latest_step(tmp_path) == 4


@pytest.mark.parametrize("below", ["", "checkpoints/4", "checkpoints", "nowhere"])
def test_no_checkpoint_is_said(tmp_path, below):
    if below == "checkpoints/4":
        keep(tmp_path, {3: None})
    with pytest.raises(UserError, match=f"no checkpoint in {tmp_path / below}"):
        Found(tmp_path / below)


def test_another_network_is_refused(tmp_path):
    keep(tmp_path, {3: None})
    other = {"params": {"layer": {"kernel": jnp.zeros((50, 41))}}, "batch_stats": {}}
    with pytest.raises(UserError, match="checkpoints/3 cannot be read"):
        Found(tmp_path).variables(
            checkpoint.abstract(other, meshes.replicated(meshes.all_devices()))
        )


@pytest.mark.parametrize("part", ["state", "meta"])
def test_a_truncated_checkpoint_is_named(tmp_path, part):
    keep(tmp_path, {3: None})
    files = [p for p in (tmp_path / "checkpoints/3" / part).rglob("*") if p.is_file()]
    if part == "state":
        files = [p for p in files if p.parent.name == "d"]
    for path in files:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserError, match="checkpoints/3 cannot be read"):
        Found(tmp_path).variables(like(state_of(0)).variables)
    if part == "state":
        with (
            Checkpoints(tmp_path, 2) as checkpoints,
            pytest.raises(UserError, match="checkpoints/3 cannot be read"),
        ):
            checkpoints.restore(3, like(state_of(0)))


def test_differences_between_runs_are_listed():
    old = {"config": {"network": "gaitset", "seed": 0, "train": {"steps": 9}}, "data": "ab"}
    new = {"config": {"network": "gaitbase", "seed": 1, "train": {"steps": 10}}, "data": "ab"}
    loop.check_same_run(Path("x"), old, {**old, "config": {**old["config"], "train": {}}})
    with pytest.raises(UserError) as error:
        loop.check_same_run(Path("x"), old, new)
    assert "config.network: 'gaitset' there, 'gaitbase' now" in str(error.value)
    assert "config.seed: 0 there, 1 now" in str(error.value)
    assert "steps" not in str(error.value)
    with pytest.raises(UserError, match="data: 'ab' there, 'cd' now"):
        loop.check_same_run(Path("x"), old, {**old, "data": "cd"})
