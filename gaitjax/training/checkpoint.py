"""Checkpoints: the state of a run and what is needed to make sense of it."""

import contextlib
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jax
import jax.numpy as jnp
import orbax.checkpoint as ocp
from flax import traverse_util
from orbax.checkpoint import checkpoint_managers as policies

from gaitjax import files
from gaitjax.errors import UserError
from gaitjax.training.state import State

FOLDER = "checkpoints"
SCORE = "score"


class Checkpoints:
    """The checkpoints of a run, in `workdir/checkpoints/STEP`.

    They are written in the background, and appear under their name only when they are whole. The
    latest ones and the one with the best score are kept.
    """

    def __init__(self, workdir: Path, keep: int) -> None:
        policy = policies.AnyPreservationPolicy(
            [
                policies.LatestN(keep),
                policies.BestN(
                    n=1,
                    get_metric_fn=lambda metrics: metrics[SCORE],
                    keep_checkpoints_without_metrics=False,
                ),
            ]
        )
        options = ocp.CheckpointManagerOptions(
            preservation_policy=policy, cleanup_tmp_directories=True
        )
        with files.writing(workdir):
            self._manager = ocp.CheckpointManager(workdir.resolve() / FOLDER, options=options)
        self._workdir = workdir

    def save(self, step: int, state: State, meta: dict[str, Any], score: float | None) -> None:
        """Copies the state and writes it in the background.

        Args:
            step: how many steps were taken.
            state: of all processes.
            meta: JSON-able.
            score: the higher the better; None where there is none.
        """
        state = dataclasses.replace(state, params=_with_values(state.params))
        args = ocp.args.Composite(state=ocp.args.StandardSave(state), meta=ocp.args.JsonSave(meta))
        metrics = None if score is None else {SCORE: score}
        with files.writing(self._workdir):
            saved = self._manager.save(step, args=args, metrics=metrics, force=True)
        assert saved, f"checkpoint {step} exists already"

    def restore(self, step: int, like: State) -> State:
        """The state of a checkpoint, placed as `like` says (shapes, types and shardings).

        Raises:
            UserError: if it is broken, or another network's.
        """
        args = ocp.args.Composite(state=ocp.args.StandardRestore(like))
        with _readable(self._workdir / FOLDER / str(step)):
            state = self._manager.restore(step, args=args).state
        assert isinstance(state, State)
        return state

    def wait(self) -> None:
        """Returns when everything is on disk."""
        with files.writing(self._workdir):
            self._manager.wait_until_finished()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with files.writing(self._workdir):
            self._manager.close()


class Found:
    """One finished checkpoint, to be read: `meta`, and the network's variables.

    Args:
        path: of a run's folder, whose latest checkpoint is taken, or of one checkpoint.

    Raises:
        UserError: if there is none.
    """

    def __init__(self, path: Path) -> None:
        path = path.resolve()
        folder = path.parent if path.parent.name == FOLDER else path / FOLDER
        steps = _steps(folder)
        wanted = int(path.name) if folder == path.parent and path.name.isdigit() else None
        if not steps or (wanted is not None and wanted not in steps):
            raise UserError(
                f"no checkpoint in {path}; expected a run's folder, or one checkpoint in it such "
                f"as {folder}/1000"
            )
        self.step = max(steps) if wanted is None else wanted
        self.folder = folder.parent
        self._path = folder / str(self.step)
        with ocp.Checkpointer(ocp.JsonCheckpointHandler()) as reader, _readable(self._path):
            self.meta: dict[str, Any] = reader.restore(self._path / "meta")

    @property
    def title(self) -> str:
        """Which checkpoint it is."""
        return f"{self.folder}, step {self.step}"

    @property
    def network(self) -> str:
        """What it is a checkpoint of."""
        return str(self.meta["config"]["network"])

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """The shapes of the network's variables, by paths such as 'params/head/kernel'."""
        with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader, _readable(self._path):
            tree = reader.metadata(self._path / "state").item_metadata.tree
        variables = {name: tree[name] for name in ("params", "batch_stats") if name in tree}
        flat = traverse_util.flatten_dict(variables, sep="/")
        return {path: tuple(x.shape) for path, x in flat.items()}

    def variables(self, like: dict[str, Any]) -> dict[str, Any]:
        """The network's variables, placed as `like` says.

        Raises:
            UserError: if they are not those of this network.
        """
        stored = _with_values(like)
        arguments = ocp.checkpoint_utils.construct_restore_args(stored)
        handler = ocp.PyTreeCheckpointHandler()
        with ocp.Checkpointer(handler) as reader, _readable(self._path):
            restored: dict[str, Any] = reader.restore(
                self._path / "state",
                args=ocp.args.PyTreeRestore(
                    item=stored, restore_args=arguments, partial_restore=True
                ),
            )
        return _filled(restored, like)


def exists(workdir: Path) -> bool:
    """Whether a run has a finished checkpoint, be it of step 0."""
    return bool(_steps(workdir / FOLDER))


def latest_step(workdir: Path) -> int:
    """The step of the latest finished checkpoint of a run, 0 if there is none."""
    return max(_steps(workdir / FOLDER), default=0)


def _steps(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.glob("*") if path.name.isdigit()]


def _with_values(tree: Mapping[str, Any]) -> dict[str, Any]:
    """All but the arrays without values, such as a head of 0 classes: Orbax writes none."""
    return {
        name: _with_values(x) if isinstance(x, Mapping) else x
        for name, x in tree.items()
        if isinstance(x, Mapping) or x.size
    }


def _filled(tree: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """The inverse of `_with_values`."""
    return {
        name: _filled(tree.get(name, {}), x)
        if isinstance(x, Mapping)
        else tree[name]
        if x.size
        else jnp.zeros(x.shape, x.dtype)
        for name, x in like.items()
    }


def abstract(state: Any, sharding: jax.sharding.Sharding) -> Any:
    """Shapes and types of a state, to be restored with this sharding."""
    return jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=sharding), state)


@contextlib.contextmanager
def _readable(path: Path) -> Any:
    """Turns what goes wrong in reading a checkpoint into an error for the user."""
    try:
        yield
    except (OSError, ValueError, KeyError) as error:
        cause = str(error).partition(" [tensorstore_spec")[0]  # pages of it
        raise UserError(
            f"checkpoint {path} cannot be read: {cause}; if it is broken, delete it"
        ) from error
