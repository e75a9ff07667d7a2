"""Trains a network: `python -m gaitjax.train --config configs/gaitset.py --workdir runs/x`."""

from pathlib import Path

from absl import flags
from ml_collections import ConfigDict

from gaitjax import command
from gaitjax.training import loop
from gaitjax.training import mesh as meshes

WORKDIR = flags.DEFINE_string(
    "workdir", None, "of the run; runs/NETWORK-DATASET if it is not given"
)


def main(config: ConfigDict) -> None:
    """Trains, or goes on with, the run in --workdir."""
    meshes.initialize()
    default = f"runs/{config.network}-{config.data.dataset}"
    loop.train(config, Path(WORKDIR.value or default), command.cache_folder())


if __name__ == "__main__":
    command.run(main)
