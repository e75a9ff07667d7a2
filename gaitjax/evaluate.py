"""Scores a checkpoint: `python -m gaitjax.evaluate --config configs/gaitset.py --workdir runs/x`.

With `--checkpoint runs/x --config configs/gaitset.py:oumvlp` the checkpoint is scored on another
dataset than it was trained on: the config says which data and protocol, the checkpoint which
network and transforms. With `--embeddings FILE`, which `gaitjax.embed` wrote, neither network nor
frames are needed. `--report DIR` adds a page for people, see `gaitjax.evaluation.page`.
`--submission FILE` writes what the competition of a dataset asks for instead.
"""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jax
from absl import flags
from ml_collections import ConfigDict

from gaitjax import command, datasets, files
from gaitjax.data.sequences import Sequences
from gaitjax.datasets import Dataset
from gaitjax.errors import UserError
from gaitjax.evaluation import embeddings, page, report, submission
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.evaluation.protocols import Result
from gaitjax.training import experiment as experiments
from gaitjax.training import mesh as meshes
from gaitjax.training import restored, validation

EMBEDDINGS = flags.DEFINE_string(
    "embeddings", None, "a file that gaitjax.embed wrote, to be scored instead of a checkpoint"
)
REPORT = flags.DEFINE_string(
    "report", None, "a folder for a page with tables, plots and rank lists, which needs an extra"
)
SUBMISSION = flags.DEFINE_string(
    "submission", None, "the file that a competition asks for (GREW, HID): written, nothing scored"
)
FACTS = ("network", "step", "checkpoint", "weights", "data")  # of a file, that are told
log = logging.getLogger("gaitjax")


class Found(NamedTuple):
    """What is scored.

    Attributes:
        embeddings: of the test split.
        dataset: whose labels and protocols count.
        lists: what the partition JSON lists, see `protocols.from_config`.
        target: where the scores go, but for the ending.
        sequences: whose frames a report shows, if they are at hand.
    """

    embeddings: Embeddings
    dataset: Dataset
    lists: Mapping[str, Sequence[str]]
    target: Path
    sequences: Sequences | None


def main(config: ConfigDict) -> None:
    """Scores a checkpoint or a file of embeddings, and writes JSON and CSV beside it."""
    run = [path for path in (command.WORKDIR.value, restored.CHECKPOINT.value) if path]
    if len(run) + bool(EMBEDDINGS.value) != 1:
        raise UserError(
            "give --workdir or --checkpoint, the run whose checkpoint is to be scored, or "
            "--embeddings, a file that gaitjax.embed wrote"
        )
    _check_outputs(datasets.get(config.data.dataset))
    meshes.initialize()
    if EMBEDDINGS.value:
        found = _read(config, Path(EMBEDDINGS.value))
    else:
        found = _embed(config, Path(run[0]))
    if SUBMISSION.value:
        _submit(config, found, Path(SUBMISSION.value))
        return
    result = validation.score(config, found.dataset, found.lists, found.embeddings)
    if jax.process_index() == 0:
        _tell(config, found, result)


def _tell(config: ConfigDict, found: Found, result: Result) -> None:
    """Logs and writes scores, and the report."""
    for line in report.lines(result):
        log.info("%s", line)
    report.write(result, found.target.parent, found.target.name, found.embeddings.facts)
    log.info("written to %s.json and .csv", found.target)
    if REPORT.value:
        if not result.gallery:
            raise UserError("a report shows rankings, and nothing is ranked; leave --report out")
        protocol = validation.protocol(config, found.dataset, found.lists)
        page.write(Path(REPORT.value), result, protocol, found.embeddings, found.sequences)
        log.info("report: %s", Path(REPORT.value) / page.NAME)


def _check_outputs(dataset: Dataset) -> None:
    """Refuses outputs that cannot be written, before anything is computed."""
    if REPORT.value:
        page.check(Path(REPORT.value))
    if SUBMISSION.value:
        if dataset.submission is None:
            raise UserError(f"nobody asks for a submission of {dataset.title}; leave it out")
        files.check_writable(Path(SUBMISSION.value).parent)


def _embed(config: ConfigDict, path: Path) -> Found:
    """The test split as a checkpoint embeds it."""
    run = restored.restore(config, path, command.cache_folder())
    folder = run.found.folder
    files.check_writable(folder)
    submits = SUBMISSION.value and len(run.data.splits.test)
    if unscored := "" if submits else validation.unscored(config, run.data, run.model):
        raise UserError(f"{folder} cannot be scored on {run.data.dataset.title}: {unscored}")
    variables = run.variables()
    forward = validation.embedder(config, run.model)
    embedded = validation.embed_test(config, run.data, forward, variables, run.facts(variables))
    other = "" if run.trained_on == config.data.dataset else f"-{config.data.dataset}"
    target = folder / f"evaluation-{run.found.step}{other}"
    test, lists = run.data.splits.test, run.data.splits.lists
    return Found(embedded, run.data.dataset, lists, target, test)


def _read(config: ConfigDict, path: Path) -> Found:
    """The embeddings of a file; a report shows frames of the data in config.data.root, if set."""
    files.check_writable(path.parent)
    found = embeddings.read(path)
    dataset = found.facts.get("dataset")
    if dataset != config.data.dataset:
        raise UserError(
            f"{path} holds embeddings of {dataset}, the config is of {config.data.dataset}; give "
            "the config of that dataset"
        )
    told = (f"{name} {found.facts.get(name)}" for name in FACTS)
    log.info("%s: %d sequences, %s", path, len(found.embeddings), ", ".join(told))
    lists = _taken_lists(path, found.facts)
    sequences = None
    if REPORT.value and config.data.root:
        config.data.sets = ()
        sequences = experiments.open_data(config, command.cache_folder()).splits.test
    target = path.with_name(f"evaluation-{path.name}")
    return Found(found, datasets.get(config.data.dataset), lists, target, sequences)


def _submit(config: ConfigDict, found: Found, path: Path) -> None:
    """Writes the submission of the dataset, whole or not at all."""
    asked, embedded = found.dataset.submission, found.embeddings
    assert asked is not None
    text = submission.text(
        asked,
        embedded.embeddings,
        embedded.identities.tolist(),
        embedded.types.tolist(),
        embedded.views.tolist(),
        config.evaluation.metric,
    )
    if jax.process_index() == 0:
        files.replace(path, text.encode())
        log.info("submission written to %s", path)


def _taken_lists(path: Path, facts: dict[str, Any]) -> dict[str, list[str]]:
    """Takes the names that the partition JSON listed out of the facts of a file."""
    lists = facts.pop("lists", {})
    try:
        if all(isinstance(name, str) for names in lists.values() for name in names):
            return dict(lists)
    except (AttributeError, TypeError):
        pass
    raise UserError(f"{path} lists sequences by no names; make it again with gaitjax.embed")


if __name__ == "__main__":
    command.run(main)
