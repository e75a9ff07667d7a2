"""Evaluation: the scores of a dataset's own protocols."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from gaitjax import datasets
from gaitjax.datasets import LISTED
from gaitjax.errors import UserError
from gaitjax.evaluation import classification, protocols, submission
from gaitjax.evaluation.protocols import Result
from gaitjax.losses.binary_cross_entropy import overlap

from . import tolerance
from .errors import UnsupportedError
from .tolerance import Comparison

METRICS = {"euc": "euclidean", "cos": "cosine"}
ROUNDING = 1e-12  # of a mean in float64, by the order of addition
PRINTED = 1e-6  # of float32 numbers that are printed with 8 digits
FLOAT32 = 1e-6  # of a mean of what one of both computes in float32
DATASETS = {"0001-1000": "hid2021", "0001-1000-test": "hid2021"}  # one that has several names
# The sequences that the partition JSON does not list were made up, and are called by a rule.
LISTS = {
    "Gait3D": ("PROBE_SET", r"seq7$"),
    "FreeGait": ("PROBE_SET", r"seq_9\d_new$"),
    "CCGR-MINI": ("GALLERY_SET", r"-XX\d-"),
}


class Ours(NamedTuple):
    """What gaitjax computes.

    Attributes:
        scores: as the reference names them -> numbers.
        printed: the numbers of the log, in its order, rounded as there.
        tolerance: of the scores.
        printed_tolerance: of the log.
    """

    scores: dict[str, Any]
    printed: list[float]
    tolerance: float = ROUNDING
    printed_tolerance: float = 0


class Variant(NamedTuple):
    """A case, and the metric that it is evaluated by."""

    case: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]
    metric: str

    def score(self, name: str) -> Result:
        """The scores by one of the dataset's protocols."""
        case = self.case
        dataset = DATASETS.get(case["dataset"], re.sub(r"\W", "_", case["dataset"]).lower())
        try:
            own = datasets.get(dataset).protocols
        except UserError as error:
            raise UnsupportedError(f"dataset {case['dataset']}") from error
        name = case["dataset"] if case["dataset"] in own else name
        if name not in own:
            raise UnsupportedError(f"protocol {name} of {case['dataset']}")
        fields = {"name": name, "gallery": (), "probes": ()}
        protocol = protocols.from_config(fields, own, _lists(case))
        embeddings = np.swapaxes(self.arrays["embeddings"], 1, 2)
        columns = case["labels"], case["types"], case["views"]
        return protocols.evaluate(protocol, embeddings, *columns, self.metric)


def check(case: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Scores to the last digit, and all digits that are printed, of every variant.

    Raises:
        UnsupportedError: for a function, dataset or option that gaitjax does not have.
    """
    compared = []
    for variant in case["variants"].values():
        options = dict(variant["kwargs"])
        metric = METRICS[options.pop("metric", "euc")]
        if "csv" in variant:
            ours = _submission(case, arrays, metric, options.pop("rerank", False))
            compared.append(tolerance.exact("submission", metric, ours, variant["csv"]))
            continue
        name = case["func"] + ("/cross_view" if options.pop("cross_view_gallery", False) else "")
        if options or name not in CHECKS:
            raise UnsupportedError(f"evaluation {name} {''.join(options)}".rstrip())
        ours = CHECKS[name](Variant(case, arrays, metric))
        compared += _compare(metric, ours, variant)
    return compared


def _submission(
    case: Mapping[str, Any], arrays: Mapping[str, np.ndarray], metric: str, reranked: bool
) -> str:
    asked = datasets.get(case["dataset"].lower()).submission
    if asked is None:
        raise UnsupportedError(f"a submission of {case['dataset']}")
    embeddings = np.swapaxes(arrays["embeddings"], 1, 2)
    columns = case["labels"], case["types"], case["views"]
    return submission.text(
        dataclasses.replace(asked, reranked=reranked), embeddings, *columns, metric
    )


def _lists(case: Mapping[str, Any]) -> dict[str, list[str]]:
    """What the partition JSON of the reference lists."""
    key, unlisted = LISTS.get(case["dataset"], ("", ""))
    names = [
        LISTED.format(identity=i, type=t, view=v)
        for i, t, v in zip(case["labels"], case["types"], case["views"], strict=True)
    ]
    return {key: [name for name in names if not re.search(unlisted, name)]}


def _compare(metric: str, ours: Ours, variant: Mapping[str, Any]) -> list[Comparison]:
    theirs = {
        key.removeprefix("scalar/test_accuracy/").replace("Umberalla", "Umbrella"): value
        for key, value in variant["result"].items()
    }
    printed = [float(x) for x in re.findall(r"\d+\.\d*", "\n".join(variant["log"]))]
    return [
        *tolerance.by_key(
            "scores",
            ours.scores,
            theirs,
            lambda key: tolerance.array(
                "scores", f"{metric}, {key}", ours.scores[key], theirs[key], ours.tolerance
            ),
        ),
        tolerance.array("printed", metric, ours.printed, printed, ours.printed_tolerance),
    ]


def _rounded(numbers: Iterable[float], decimals: int) -> list[float]:
    """As they are printed."""
    return [float(f"{x:.{decimals}f}") for x in numbers]


def _single_view(variant: Variant) -> Ours:
    result = variant.score("single-view")
    rows = [mean for table in result.tables.values() for mean in table.means]
    ranks = [key for key in result.scores if not key.startswith("mean/")]
    by_rank = sorted(ranks, key=lambda key: key.rpartition("-")[2])  # stable: conditions in order
    return Ours(
        {f"{c}@R1": result.scores[f"{c}/rank-1"] for c in result.probes},
        _rounded([*rows, *(result.scores[key] for key in by_rank)], 2),
    )


def _cross_view(variant: Variant) -> Ours:
    result = variant.score("cross-view")
    names = {"Rank@1": "rank-1", "mAP": "mAP"}
    printed = [
        x
        for name in names.values()
        for c in result.probes
        for x in (*result.by_view[f"{c}/{name}"].values(), result.scores[f"{c}/{name}"])
    ]
    scores = {
        f"{c}-{theirs}": result.scores[f"{c}/{name}"]
        for c in result.probes
        for theirs, name in names.items()
    }
    return Ours(scores, _rounded(printed, 2))


def _real_scene(variant: Variant) -> Ours:
    result = variant.score("real-scene")
    (condition,) = result.probes
    rounded = _rounded((result.scores[f"{condition}/rank-{k}"] for k in (1, 5, 10, 20)), 2)
    return Ours({"Rank-1": rounded[0], "Rank-5": rounded[1]}, rounded)


def _listed(variant: Variant) -> Ours:
    scores = variant.score("listed").scores
    # OpenGait computes these in float32, and prints all digits of everything.
    shares = {f"Rank-{k}": np.float32(scores[f"mean/rank-{k}"] / 100) for k in (1, 5, 10)}
    ours = {name: float(share * np.float32(100)) for name, share in shares.items()}
    ours |= {"mAP": scores["mean/mAP"], "mINP": scores["mean/mINP"]}
    return Ours(ours, list(ours.values()), printed_tolerance=PRINTED)


def _ccpg(variant: Variant) -> Ours:
    reid, gait, own_view = map(variant.score, ("reid-style", "gait-style", "gait-style-own-view"))
    told = [(reid, "rank-1"), (reid, "mAP"), (reid, "mINP"), (own_view, "rank-1"), (gait, "rank-1")]
    scores = [result.scores[f"{c}/{name}"] for result, name in told for c in result.probes]
    rows = [mean for table in gait.tables.values() for mean in table.means]
    matrices = {c: table.rank_1 for c, table in gait.tables.items()}
    return Ours(matrices, _rounded(scores, 3) + _rounded(rows, 2))


def _scoliosis(variant: Variant) -> Ours:
    classes = datasets.get("scoliosis1k").labels["diagnosis"]
    truth = np.array([datasets.class_of(classes, type_) for type_ in variant.case["types"]])
    logits = np.swapaxes(variant.arrays["embeddings"], 1, 2)
    scores = classification.scores(classification.predicted(logits), truth)
    keys = ("", *(f"scalar/test_{name}/" for name in ("precision", "recall", "f1")))
    shares = dict(zip(keys, (score / 100 for score in scores.values()), strict=True))
    return Ours(shares, _rounded(scores.values(), 2))


def _segmentation(variant: Variant) -> Ours:
    found = overlap(*(jnp.asarray(variant.arrays[name]) for name in ("pred", "mask")))
    return Ours({"mIOU": found[:, 0]}, _rounded([float(found.mean())], 3), FLOAT32)


CHECKS = {
    "evaluate_indoor_dataset": _single_view,
    "evaluate_indoor_dataset/cross_view": _cross_view,
    "evaluate_real_scene": _real_scene,
    "evaluate_Gait3D": _listed,
    "evaluate_FreeGait": _listed,
    "evaluate_CCGR_MINI": _listed,
    "evaluate_CCPG": _ccpg,
    "evaluate_scoliosis": _scoliosis,
    "evaluate_segmentation": _segmentation,
}
