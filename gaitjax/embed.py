"""Embeds the test split: `python -m gaitjax.embed --config C --workdir W --output FILE`.

The file says where it comes from; `python -m gaitjax.evaluate --embeddings FILE` scores it. After a
kill the same command goes on: what was embedded is kept in FILE.part-*.
"""

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jax
from absl import flags
from ml_collections import ConfigDict

from gaitjax import command, files
from gaitjax.errors import UserError
from gaitjax.evaluation import embeddings, parts
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.training import mesh as meshes
from gaitjax.training import restored, validation
from gaitjax.training.restored import Restored

OUTPUT = flags.DEFINE_string("output", None, "the file of embeddings that is written")
log = logging.getLogger("gaitjax")


def main(config: ConfigDict) -> None:
    """Embeds the test split with a checkpoint into a file."""
    run = [path for path in (command.WORKDIR.value, restored.CHECKPOINT.value) if path]
    if len(run) != 1 or not OUTPUT.value:
        raise UserError(
            "give --workdir or --checkpoint, the run whose checkpoint is to embed, and --output, "
            "the file to write"
        )
    meshes.initialize()
    output = Path(OUTPUT.value)
    files.check_writable(output.parent)
    found = restored.restore(config, Path(run[0]), command.cache_folder())
    if not len(found.data.splits.test):
        raise UserError(f"nobody is in the test split of {found.data.dataset.title} to embed")
    if validation.told_of(config, found.data, found.model).embeddings is None:
        raise UserError(f"{config.network} has no embeddings that could be kept")
    variables = found.variables()
    facts = {**found.facts(variables), "lists": found.data.splits.lists}
    if _is_finished(output, made_of(facts)):
        log.info("%s is finished", output)
    else:
        _extract(found, variables, facts, output)
        log.info("written to %s", output)
    if jax.process_index() == 0:
        for part in parts.of(output):
            part.unlink()


def made_of(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the facts that decide the embeddings, but for how they are rounded."""
    config = facts["config"]
    return {
        **{name: facts[name] for name in ("weights", "dataset", "data")},
        **{name: config[name] for name in ("network", "model", "dtype")},
        **{name: config["data"][name] for name in ("modalities", "transforms")},
        "limit": config["data"]["frames"]["limit"],
    }


def _is_finished(output: Path, wanted: Mapping[str, Any]) -> bool:
    if not output.exists():
        return False
    try:
        found = made_of(embeddings.read(output).facts)
    except (LookupError, TypeError):  # it states no such facts
        found = {}
    if found != wanted:
        raise UserError(
            f"{output} exists, and is of another checkpoint or other data; choose another "
            "--output, or delete it"
        )
    return True


def _extract(
    found: Restored, variables: dict[str, Any], facts: dict[str, Any], output: Path
) -> None:
    """Embeds what is not in the parts yet; the first process makes them one file."""
    test = found.data.splits.test
    share = meshes.share_of(len(test))
    part = parts.Part(output, jax.process_index(), made_of(facts))
    with contextlib.closing(part):
        rows = share[~parts.done(output, len(test))[share]]
        if len(rows) < len(share):
            log.info("%d of %d sequences are embedded already", len(share) - len(rows), len(share))
        forward = validation.embedder(found.config, found.model)
        batches = validation.embed_rows(found.config, found.data, forward, variables, rows.tolist())
        for positions, embedded in batches:
            part.add(rows[positions], embedded)
    meshes.wait_for_all("embedded")
    if jax.process_index() == 0:
        whole = parts.in_order(output, len(test))
        names = (test.identities, test.types, test.views)
        embeddings.write(output, Embeddings(whole.embeddings, whole.predictions, *names, facts))


if __name__ == "__main__":
    command.run(main)
