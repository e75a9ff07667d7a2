"""A trained network and the data of a config: what is scored, and what is embedded."""

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import flax.linen as nn
from absl import flags
from ml_collections import ConfigDict

from gaitjax.training import checkpoint, parameters
from gaitjax.training import experiment as experiments
from gaitjax.training import mesh as meshes
from gaitjax.training.experiment import Data

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "a run's folder or one of its checkpoints, instead of --workdir"
)
log = logging.getLogger("gaitjax")


@dataclasses.dataclass(frozen=True, eq=False)
class Restored:
    """A network of a checkpoint, and data to try it on.

    Attributes:
        config: of the data and their evaluation; what belongs to the network is the checkpoint's.
        data: of the config.
        model: the network.
        found: the checkpoint.
    """

    config: ConfigDict
    data: Data
    model: nn.Module
    found: checkpoint.Found

    @property
    def trained_on(self) -> str:
        """The dataset that the network was trained on."""
        return str(self.found.meta["config"]["data"]["dataset"])

    def variables(self) -> dict[str, Any]:
        """The network's parameters and statistics, on all devices of this process.

        Raises:
            UserError: if they cannot be read.
        """
        sharding = meshes.replicated(meshes.local_devices())
        shapes = experiments.shapes(self.config, self.data, self.model)
        variables = self.found.variables(checkpoint.abstract(shapes, sharding))
        folder, step = self.found.folder, self.found.step
        log.info("%s of step %d, in %s", self.config.network, step, folder)
        return variables

    def facts(self, variables: dict[str, Any]) -> dict[str, Any]:
        """Where embeddings and scores come from, JSON-able.

        Args:
            variables: what `variables` returned.
        """
        return {
            "network": self.config.network,
            "dataset": self.config.data.dataset,
            "step": self.found.step,
            "checkpoint": str(self.found.folder),
            "weights": parameters.fingerprint(variables),
            "data": self.data.fingerprint,
            "config": json.loads(self.config.to_json_best_effort()),
            "trained": self.found.meta,
        }


def restore(config: ConfigDict, path: Path, cache: Path) -> Restored:
    """Finds a checkpoint, and the data of a config.

    Args:
        config: of the data and their evaluation; the checkpoint says what belongs to the network:
            `network`, `model`, `dtype`, `data.modalities` and `data.transforms` are set to that.
        path: a run's folder, whose latest checkpoint is taken, or one of its checkpoints.
        cache: where built-in data are kept.

    Raises:
        UserError: if there is no checkpoint, or for data that are missing or of another layout.
    """
    found = checkpoint.Found(path)
    trained = experiments.config_of(found.meta)
    config.data.sets = ()  # the test split is not theirs
    data = experiments.open_data(config, cache)
    if config.data.dataset != trained.data.dataset:
        log.info("trained on %s, tested on %s", trained.data.dataset, config.data.dataset)
    for field in ("network", "model", "dtype"):
        config[field] = trained[field]
    config.data.modalities = trained.data.modalities
    config.data.transforms = trained.data.transforms
    model = experiments.build_model(config, found.meta["classes"])
    return Restored(config, data, model, found)
