"""The pieces of evaluation by themselves: distances, ranks, average precision, re-ranking."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gaitjax.datasets import Protocol
from gaitjax.evaluation import metrics, protocols
from gaitjax.evaluation.rerank import rerank

from . import tolerance
from .evaluation import FLOAT32, METRICS
from .tolerance import Comparison

DISTANCE = 1e-4  # as of outputs
RERANKED = 2e-3  # absolute, by rounding in float16


def check(case: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Distances, re-ranked ones, and what the functions of OpenGait make of the former."""
    compared = []
    for theirs, metric in METRICS.items():
        compared += _distances(arrays, theirs, metric) + _rankings(case, arrays, theirs, metric)
    return compared


def _distances(arrays: Mapping[str, np.ndarray], theirs: str, metric: str) -> list[Comparison]:
    probe, gallery, same = (np.swapaxes(arrays[name], 1, 2) for name in ("q", "g", "degenerate"))
    everything = np.concatenate([probe, gallery])
    pairs = {
        "dist": (probe, gallery),
        "square": (everything, everything),
        "dist_degenerate": (same, same),
    }
    found = {name: np.asarray(metrics.distances(*both, metric)) for name, both in pairs.items()}
    square = found["square"]
    compared = [
        # squared: where vectors are equal, a distance is the root of a rounding error
        tolerance.array(
            "distances", f"{name}, {metric}", x**2, arrays[f"{name}_{theirs}"] ** 2, DISTANCE
        )
        for name, x in found.items()
    ]
    for name in arrays:
        if found := re.fullmatch(rf"re_rank_{theirs}_(\d+)_(\d+)_([\d.]+)", name):
            k1, k2, weight = int(found[1]), int(found[2]), float(found[3])
            ours = rerank(square, len(probe), k1=k1, k2=k2, weight=weight, half_precision=True)
            error = float(np.abs(ours - arrays[name]).max())
            compared.append(Comparison("re-ranked", name, error, RERANKED))
    return compared


def _rankings(
    case: Mapping[str, Any], arrays: Mapping[str, np.ndarray], theirs: str, metric: str
) -> list[Comparison]:
    """Shares of probes with a mate up to a rank, average precisions and inverse penalties."""
    gallery, probes = case["g_labels"], case["q_labels"]
    mated = [f"{i:02}" for i, label in enumerate(probes) if label in gallery]

    def score(exclude: Any, unmatched: Any, alone: Sequence[str] = ()) -> Mapping[str, float]:
        """Scores of all probes together, and of some of them alone."""
        protocol = Protocol(
            ("gallery",),
            {"all": ("??",)} | {name: (name,) for name in alone},
            "all",
            exclude,
            unmatched=unmatched,
            ranks=tuple(range(1, len(gallery) + 1)),
        )
        types = [f"{i:02}" for i in range(len(probes))] + ["gallery"] * len(gallery)
        names = probes + gallery, types, case["q_cams"] + case["g_cams"]
        embeddings = np.swapaxes(np.concatenate([arrays["q"], arrays["g"]]), 1, 2)
        return protocols.evaluate(protocol, embeddings, *names, metric).scores

    plain, apart = score("none", "miss"), score("view", "miss")
    rank, many = score("none", "skip", mated), score("view", "skip")
    each = [rank[f"{name}/{score}"] for score in ("mAP", "mINP") for name in mated]
    ours = {
        "compute_ACC_mAP_plain": [plain["all/rank-1"], plain["all/mAP"]],
        "compute_ACC_mAP_views": [apart["all/rank-1"], apart["all/mAP"]],
        "compute_ACC_mAP_rank5": [apart["all/rank-5"], apart["all/mAP"]],
        "evaluate_rank": [*_cmc(rank, len(gallery)), *each],
        "evaluate_rank_max10": [*_cmc(rank, 10), *each],
        "evaluate_many_max10": [*_cmc(many, 10), many["all/mAP"], many["all/mINP"]],
    }
    # The reference fails where `evaluate_many` is given no maximum; ours is the same function.
    known = {name: np.hstack(x) for name, x in case["results"][theirs].items() if name in ours}
    return tolerance.by_key(
        "ranking",
        ours,
        known,
        lambda key: tolerance.array(
            "ranking", f"{metric}, {key}", np.array(ours[key]) / 100, known[key], FLOAT32
        ),
    )


def _cmc(scores: Mapping[str, float], length: int) -> list[float]:
    return [scores[f"all/rank-{k}"] for k in range(1, length + 1)]
