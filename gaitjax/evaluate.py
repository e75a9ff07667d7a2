"""Scores a checkpoint: `python -m gaitjax.evaluate --config configs/gaitset.py --workdir runs/x`.

With `--checkpoint runs/x --config configs/gaitset.py:oumvlp` the checkpoint is scored on another
dataset than it was trained on: the config says which data and protocol, the checkpoint which
network and transforms.
"""

import logging
from pathlib import Path

import jax
from absl import flags
from ml_collections import ConfigDict

from gaitjax import command, files
from gaitjax.errors import UserError
from gaitjax.evaluation import report
from gaitjax.training import checkpoint, validation
from gaitjax.training import experiment as experiments
from gaitjax.training import mesh as meshes

CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "a run's folder or one of its checkpoints, instead of --workdir"
)
log = logging.getLogger("gaitjax")


def main(config: ConfigDict) -> None:
    """Scores a checkpoint, and writes JSON and CSV beside it."""
    given = [path for path in (command.WORKDIR.value, CHECKPOINT.value) if path]
    if len(given) != 1:
        raise UserError("give --workdir or --checkpoint: the run whose checkpoint is to be scored")
    meshes.initialize()
    found = checkpoint.Found(Path(given[0]))
    trained = experiments.config_of(found.meta)
    config.data.sets = ()  # the test split is not theirs
    data = experiments.open_data(config, command.cache_folder())
    name = f"evaluation-{found.step}"
    if config.data.dataset != trained.data.dataset:
        name += f"-{config.data.dataset}"
        log.info("trained on %s, scored on %s", trained.data.dataset, config.data.dataset)
    for field in ("network", "model", "dtype"):
        config[field] = trained[field]
    config.data.modalities = trained.data.modalities
    config.data.transforms = trained.data.transforms
    files.check_writable(found.folder)
    model = experiments.build_model(config, found.meta["classes"])
    if unscored := validation.unscored(config, data, model):
        raise UserError(f"{found.folder} cannot be scored on {data.dataset.title}: {unscored}")
    validation.protocol(config, data)

    sharding = meshes.replicated(meshes.local_devices())
    like = checkpoint.abstract(experiments.shapes(config, data, model), sharding)
    variables = found.variables(like)
    log.info("%s of step %d, in %s", config.network, found.step, found.folder)
    forward = validation.embedder(config, model)
    result = validation.evaluate(config, data, forward, variables)
    if jax.process_index() == 0:
        for line in report.lines(result):
            log.info("%s", line)
        facts = {"step": found.step, "checkpoint": str(found.folder), "data": data.fingerprint}
        report.write(result, found.folder, name, {**facts, "trained": found.meta})
        log.info("written to %s/%s.json and .csv", found.folder, name)


if __name__ == "__main__":
    command.run(main)
