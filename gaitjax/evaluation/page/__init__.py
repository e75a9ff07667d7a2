"""The report that a person reads: one HTML page that holds all it shows, and its plots beside it.

The page answers, in this order: how good is it, where does it fail, what does a failure look like.
It needs the extra `report` (Matplotlib, scikit-learn, Jinja2), which is imported when it is
written. No script is in it, and its content security policy lets nothing be loaded.
"""

import importlib.util
from pathlib import Path

import numpy as np

from gaitjax import files
from gaitjax.datasets import Protocol
from gaitjax.errors import UserError
from gaitjax.evaluation import protocols
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.evaluation.open_set import Options
from gaitjax.evaluation.page.pictures import Readable
from gaitjax.evaluation.protocols import Result

NAME = "report.html"
NOT_ASKED = Options(far=(), resamples=0, seed=0)  # of open-set figures: the curve and the EER alone


def check(folder: Path) -> None:
    """Refuses what `write` would refuse, before anything is computed.

    Raises:
        UserError: without what the extra `report` brings, or if the folder cannot be written to.
    """
    missing = [
        m for m in ("jinja2", "matplotlib", "sklearn") if importlib.util.find_spec(m) is None
    ]
    if missing:
        raise UserError(
            f"a report needs {', '.join(missing)}, which is not installed; expected the extra "
            "'report': pip install 'gaitjax[report]'"
        )
    files.check_writable(folder)


def write(
    folder: Path,
    result: Result,
    protocol: Protocol,
    embeddings: Embeddings,
    sequences: Readable | None,
    seed: int = 0,
) -> None:
    """Writes `report.html`, and every plot as PNG and SVG.

    Args:
        folder: where; made if it is missing.
        result: the scores.
        protocol: that gave them.
        embeddings: that were scored.
        sequences: the same, in the same order, to show their frames; None: names only.
        seed: of the successes that are shown, and of the map.

    Raises:
        UserError: as `check` does; if the sequences are others than those of the embeddings.
    """
    check(folder)
    from gaitjax.evaluation.page import content, plots, ranks

    _check_same(embeddings, sequences)
    searches = ranks.searches(protocol, embeddings, result.metric)
    sides = {condition: (own.probe, own.gallery) for condition, own in searches.items()}
    open_set = result.open_set or protocols.open_set(protocol, sides, result.metric, NOT_ASKED)
    material = content.Material(result, protocol, embeddings, sequences, seed, searches, open_set)
    drawn, notes = plots.write(folder, material)
    files.replace(folder / NAME, content.render(material, drawn, notes).encode())


def _check_same(embeddings: Embeddings, sequences: Readable | None) -> None:
    for column in ("identities", "types", "views"):
        own = getattr(embeddings, column)
        if sequences is not None and not np.array_equal(own, getattr(sequences, column)):
            raise UserError(
                f"the {column} of the embeddings are not those of the test split; expected the "
                "data that were embedded: set config.data.root, or leave the data out"
            )
