"""Trains a network: `python -m gaitjax.train --config configs/gaitset.py --workdir runs/x`.

Without --workdir the run is kept in runs/NETWORK-DATASET.
"""

from pathlib import Path

from ml_collections import ConfigDict

from gaitjax import command
from gaitjax.training import loop
from gaitjax.training import mesh as meshes


def main(config: ConfigDict) -> None:
    """Trains, or goes on with, the run in --workdir."""
    meshes.initialize()
    default = f"runs/{config.network}-{config.data.dataset}"
    loop.train(config, Path(command.WORKDIR.value or default), command.cache_folder())


if __name__ == "__main__":
    command.run(main)
