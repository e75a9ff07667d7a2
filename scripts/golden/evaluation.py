"""Evaluation: the scores of a dataset's own protocol."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from gaitjax import datasets
from gaitjax.datasets import Protocol
from gaitjax.errors import UserError
from gaitjax.evaluation import protocols

from . import tolerance
from .errors import UnsupportedError
from .tolerance import Comparison

METRICS = {"euc": "euclidean", "cos": "cosine"}
ROUNDING = 1e-12  # of a mean in float64, by the order of addition


def check(case: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Scores to the last digit, and all digits that are printed, of every variant.

    Raises:
        UnsupportedError: for a function, dataset or option that gaitjax does not have.
    """
    protocol = _protocol(case)
    embeddings = np.swapaxes(arrays["embeddings"], 1, 2)
    columns = (case["labels"], case["types"], case["views"])
    compared = []
    for variant in case["variants"].values():
        metric = METRICS[variant["kwargs"].get("metric", "euc")]
        result = protocols.evaluate(protocol, embeddings, *columns, metric)
        compared += _scores(result, variant["result"]) + _printed(result, variant["log"])
    return compared


def _protocol(case: Mapping[str, Any]) -> Protocol:
    """The one of the dataset, if it is what OpenGait's function computes."""
    options = [variant["kwargs"] for variant in case["variants"].values()]
    if case["func"] != "evaluate_indoor_dataset":
        raise UnsupportedError(f"evaluation {case['func']}")
    if any(option.get("cross_view_gallery") for option in options):
        raise UnsupportedError("evaluation with a gallery of all other views")
    unknown = set().union(*options) - {"metric", "cross_view_gallery"}
    if unknown:
        raise UnsupportedError(f"evaluation option {min(unknown)}")
    try:
        protocol = datasets.get(re.sub(r"\W", "_", case["dataset"]).lower()).protocol
    except UserError as error:
        raise UnsupportedError(f"dataset {case['dataset']}") from error
    if protocol is None or (protocol.gallery_views, protocol.exclude) != ("single", "view"):
        raise UnsupportedError(f"galleries of a single view on {case['dataset']}")
    return protocol


def _scores(result: protocols.Result, theirs: Mapping[str, Any]) -> list[Comparison]:
    theirs = {key.replace("Umberalla", "Umbrella"): value for key, value in theirs.items()}
    ours = {
        f"scalar/test_accuracy/{condition}@R1": result.scores[f"{condition}/rank-1"]
        for condition in result.tables
    }
    where = f"{result.metric}, "
    return tolerance.by_key(
        "scores",
        ours,
        theirs,
        lambda key: tolerance.scalar("scores", where + key, ours[key], theirs[key], ROUNDING),
    )


def _printed(result: protocols.Result, log: list[str]) -> list[Comparison]:
    """The means of every view of the probes, and the mean of these, to two decimals."""
    text = "\n".join(log).replace("Umberalla", "Umbrella")
    rows = dict(re.findall(r"^(\S+)@R1: \[([^\]]*)\]", text, re.MULTILINE))
    means = dict(re.findall(r"(\S+)@R1: (\S+)%", text))
    theirs = {c: [float(x) for x in f"{row} {means[c]}".split()] for c, row in rows.items()}
    ours = {
        condition: [
            float(f"{mean:.2f}") for mean in (*table.means, result.scores[f"{condition}/rank-1"])
        ]
        for condition, table in result.tables.items()
    }
    return tolerance.by_key(
        "printed",
        ours,
        theirs,
        lambda key: tolerance.array(
            "printed", f"{result.metric}, {key}", ours[key], theirs[key], 0
        ),
    )
