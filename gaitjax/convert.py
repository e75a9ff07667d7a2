"""Turns OpenGait's checkpoints into runs, and runs into OpenGait's checkpoints.

`python -m gaitjax.convert --from gaitset.pt --config configs/gaitset.py:casia_b --to runs/gaitset`
makes a run's folder, `--from runs/gaitset --to gaitset.pt` a file that OpenGait restores. Where it
says .pt, .safetensors does as well. The optimizer's state is not carried over.
"""

import json
import logging
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from absl import flags
from ml_collections import ConfigDict

from gaitjax import command, trained
from gaitjax import files as folders
from gaitjax.errors import UserError
from gaitjax.interop import files, opengait
from gaitjax.trained import Trained
from gaitjax.training import checkpoint
from gaitjax.training.state import State

SOURCE = flags.DEFINE_string(
    "from", None, "a .pt or .safetensors of OpenGait's, a run's folder or one of its checkpoints"
)
TARGET = flags.DEFINE_string("to", None, "a new .pt or .safetensors, or the folder of a new run")
WITHOUT_HEAD = flags.DEFINE_bool(
    "without_head", False, "leave out what tells the training identities apart"
)
log = logging.getLogger("gaitjax")


def main(config: ConfigDict) -> None:
    """Reads --from, checks all of it, and writes --to."""
    if not (SOURCE.value and TARGET.value):
        raise UserError("give --from and --to: a .pt or .safetensors file, or a run's folder")
    target = Path(TARGET.value)
    _check_target(target)
    found = trained.load(SOURCE.value, config or None)
    if WITHOUT_HEAD.value:
        found = found.without_head()
    elif any(not x.size for x in jax.tree.leaves(found.variables)):
        raise UserError(f"{SOURCE.value} has no head; if it is meant to have none, --without_head")
    size = sum(x.size for x in jax.tree.leaves(found.variables["params"]))
    network, classes = found.config.network, max(found.classes.values())
    log.info("%s: step %d, %d classes, %d parameters", network, found.step, classes, size)
    _save(found, target)
    log.info("written to %s; the optimizer's state is not carried over", target)


def _check_target(target: Path) -> None:
    is_file = target.suffix in files.SUFFIXES
    taken = target if is_file else target / checkpoint.FOLDER
    if taken.exists():
        raise UserError(f"{taken} exists already; choose another --to, or delete it")
    folders.check_writable(target.parent if is_file else target)


def _save(found: Trained, target: Path) -> None:
    if target.suffix in files.SUFFIXES:
        state_dict = opengait.write(found.config.network, found.variables, found.step)
        files.write(target, state_dict, found.step)
        return
    state = State(
        jnp.asarray(found.step, jnp.int32),
        found.variables["params"],
        found.variables.get("batch_stats", {}),
        {},
    )
    meta: dict[str, Any] = {
        "config": json.loads(found.config.to_json_best_effort()),
        "classes": dict(found.classes),
        "data": "",
    }
    with checkpoint.Checkpoints(target, keep=1) as checkpoints:
        checkpoints.save(found.step, state, meta, None)


if __name__ == "__main__":
    command.run(main, config_needed=False)
