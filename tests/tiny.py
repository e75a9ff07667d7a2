"""A dataset and a network so small that a test can train on them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import orbax.checkpoint as ocp
from ml_collections import ConfigDict

from configs import gaitbase, gaitset
from gaitjax import pickles

REPOSITORY = Path(__file__).parents[1]
# LLVM takes ten times longer to optimise these networks than to run them.
QUICK = {"JAX_PLATFORMS": "cpu", "JAX_DISABLE_MOST_OPTIMIZATIONS": "1", "XLA_FLAGS": ""}
RESNET = {
    "type": "resnet",
    "channels": (2, 3, 4, 5),
    "blocks": (1, 1, 1, 1),
    "strides": (1, 2, 2, 1),
}


def write_tree(root: Path, identities: int = 6) -> Path:
    """Ellipses that sway, as silhouettes; the last two identities are tested on.

    Returns:
        the partition, beside the tree.
    """
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:64, :64]
    names = [f"{i:03}" for i in range(identities)]
    for i, name in enumerate(names):
        for kind in ("nm-01", "nm-02", "bg-01"):
            for view in ("000", "090"):
                centre = 32 + 3 * np.sin(np.arange(rng.integers(8, 15)) + i)[:, None, None]
                width = 6 + 2 * i + 2 * rng.random()
                frames = ((y - 32) / 28) ** 2 + ((x - centre) / width) ** 2 < 1
                path = root / name / kind / view / f"{view}.pkl"
                path.parent.mkdir(parents=True)
                pickles.write(path, (255 * frames).astype(np.uint8))
    partition = root.with_suffix(".json")
    partition.write_text(json.dumps({"TRAIN_SET": names[:-2], "TEST_SET": names[-2:]}))
    return partition


def config(root: Path, network: str = "gaitset") -> ConfigDict:
    """A config for `write_tree`, for batches of 4 identities x 2 sequences."""
    made = {"gaitset": gaitset, "gaitbase": gaitbase}[network].get_config("folder")
    made.data.update(root=str(root), partition=str(root.with_suffix(".json")), threads=2)
    made.data.sampler.update(identities=4, sequences=2)
    made.data.frames.number = 4
    made.model.embedding = 4
    if network == "gaitset":
        made.model.channels = (2, 3, 4)
    else:
        made.model.backbone = ConfigDict(RESNET)
    made.train.update(steps=4, log_every=2, image_every=0)
    made.evaluation.protocol.update(gallery=("nm-01",), probes=("NM=nm-02", "BG=bg-*"))
    return made


def options(root: Path, **overrides: object) -> list[str]:
    """The same of GaitSet on the command line; `overrides` with __ for the dots."""
    named = {
        "data.root": root,
        "data.partition": root.with_suffix(".json"),
        "data.threads": 2,
        "data.sampler.identities": 4,
        "data.sampler.sequences": 2,
        "data.frames.number": 4,
        "model.channels": (2, 3, 4),
        "model.embedding": 4,
        "train.steps": 4,
        "train.log_every": 2,
        "train.image_every": 0,
        "evaluation.protocol.gallery": ("nm-01",),
        "evaluation.protocol.probes": ("NM=nm-02", "BG=bg-*"),
        **{name.replace("__", "."): value for name, value in overrides.items()},
    }
    path = f"{REPOSITORY}/configs/gaitset.py:folder"
    return ["--config", path, *(f"--config.{name}={value}" for name, value in named.items())]


def start(command: str, arguments: list[str], **environment: str) -> subprocess.Popen[str]:
    """Starts `python -m gaitjax.COMMAND` on one device (unless the environment says more)."""
    return subprocess.Popen(
        [sys.executable, "-m", f"gaitjax.{command}", *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **QUICK, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(*processes: subprocess.Popen[str], seconds: float = 240) -> list[str]:
    """Waits for processes that must succeed; what they told on the standard error."""
    try:
        told = [process.communicate(timeout=seconds)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    assert [process.returncode for process in processes] == [0] * len(processes), told
    return told


def saved(workdir: Path, step: int) -> dict[str, np.ndarray]:
    """Every array of a checkpoint by its path in the state, as it is on disk."""
    path = (workdir / "checkpoints" / str(step) / "state").resolve()
    with ocp.Checkpointer(ocp.PyTreeCheckpointHandler()) as reader:
        tree = reader.metadata(path).item_metadata.tree
        kinds = jax.tree.map(lambda _: ocp.RestoreArgs(restore_type=np.ndarray), tree)
        restored = reader.restore(path, args=ocp.args.PyTreeRestore(restore_args=kinds))
    return {
        jax.tree_util.keystr(name, simple=True, separator="/"): value
        for name, value in jax.tree_util.tree_leaves_with_path(restored)
    }


def same_bits(a: dict[str, np.ndarray], b: dict[str, np.ndarray]) -> bool:
    """Whether two checkpoints hold the same arrays, to the last bit."""
    return a.keys() == b.keys() and all(
        a[name].dtype == b[name].dtype and a[name].tobytes() == b[name].tobytes() for name in a
    )


def losses(workdir: Path) -> dict[int, float]:
    """Step -> mean loss of its logging interval."""
    lines = map(json.loads, (workdir / "scalars.jsonl").read_text().splitlines())
    return {line["step"]: line["train/loss"] for line in lines if "train/loss" in line}
