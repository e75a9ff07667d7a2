"""Losses: OpenGait's classes and their arguments in our words."""

import functools
import math
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.errors import UserError
from gaitjax.losses import binary_cross_entropy, cross_entropy, supervised_contrastive, triplet

from . import tolerance
from .errors import UnsupportedError
from .tolerance import Comparison

Loss = Callable[..., tuple[jax.Array, dict[str, jax.Array]]]


class Term(NamedTuple):
    """A weight, and a loss that lacks only what the network supplies."""

    weight: float
    loss: Loss


def terms(config: Any, labels: np.ndarray) -> dict[str, Term]:
    """log_prefix -> term, from OpenGait's `loss_cfg`, one entry or a list of them.

    Raises:
        UnsupportedError: for a loss that gaitjax does not have.
    """
    entries = [config] if isinstance(config, Mapping) else config
    return {
        entry["log_prefix"]: Term(
            entry.get("loss_term_weight", 1.0), _bind(entry["type"])(entry, labels)
        )
        for entry in entries
    }


def check(case: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Value, scalars and gradient of one entry of the table, or that ours refuses it.

    Ours must refuse where OpenGait mixes up its triplets, and may where OpenGait raises or gives
    NaN.

    Raises:
        UnsupportedError: for a loss that gaitjax does not have.
        UserError: if ours refuses what OpenGait computes.
    """
    bind = _bind(case["class"])
    given = {name: arrays[array] for name, array in case["inputs"].items()}
    x = _parts_second(given[case["gradient_of"]])
    labels = given.get("labels", given.get("mask", np.arange(len(x))))
    loss = bind(case["kwargs"], labels)
    is_triplet = case["class"] == "TripletLoss"
    mixed = is_triplet and len(set(np.unique(labels, return_counts=True)[1].tolist())) > 1
    try:
        (value, scalars), gradient = jax.value_and_grad(loss, has_aux=True)(jnp.asarray(x))
    except (UserError, ValueError) as error:
        if mixed or "raises" in case or not math.isfinite(float(case["loss_mean"])):
            return [Comparison("refusal", f"({error})", 0.0, 0.0)]
        raise
    if mixed:
        return [Comparison("refusal", "(none, though classes differ in size)", math.inf, 0.0)]
    if "raises" in case:
        return [tolerance.scalar("value", "", value, math.nan, 0.0)]
    rounding = self_distance(x) if is_triplet and len(np.unique(labels)) == len(labels) else 0.0
    deviation = tolerance.deviations(str(case.get("notes")))

    def compare(what: str, where: str, ours: Any, theirs: Any) -> Comparison:
        shape = tolerance.array if isinstance(theirs, list) else tolerance.scalar
        known = np.nan_to_num(np.asarray(theirs, np.float64))
        size = max(np.abs(known).max(initial=0), 1e-2)
        limit = tolerance.output_limit(deviation.get(where)) + rounding / size
        return shape(what, where, ours, theirs, limit)

    reported = case["info"] or {"loss": case["loss"]}

    def scalar(name: str) -> Comparison:
        return compare("scalars", name, scalars[name], reported[name])

    gradient = _parts_second(np.asarray(gradient))
    limit = tolerance.gradient_limit(deviation.get("grads"))
    return [
        compare("value", "", value, case["loss_mean"]),
        compare("loss", "", scalars["loss"], case["loss"]),
        *tolerance.by_key("scalars", scalars, reported, scalar),
        tolerance.array("gradient", "", gradient, arrays[case["grad"]], limit),
    ]


def _parts_second(x: np.ndarray) -> np.ndarray:
    """[N, C, P] -> [N, P, C], and back; maps [N, 1, H, W] are of one frame each in either order."""
    return np.swapaxes(x, 1, 2) if x.ndim == 3 else x


def self_distance(x: np.ndarray) -> float:
    """The largest distance of a sample [N, P, C] to itself that OpenGait may find.

    It takes the root of |x|^2 + |x|^2 - 2 xx, all rounded to float32; ours are 0. With one sample
    of each class all positives are such; README's limit for cases without a stated deviation is
    smaller.
    """
    return float(np.sqrt(2 * np.finfo(np.float32).eps) * np.linalg.norm(x, axis=-1).max())


def _triplet(options: Mapping[str, Any], labels: np.ndarray) -> Loss:
    per_identity = int(np.unique(labels, return_counts=True)[1].max())
    return functools.partial(
        triplet.loss,
        labels=labels.astype(np.int32),
        margin=options["margin"],
        per_identity=per_identity,
    )


def _cross_entropy(options: Mapping[str, Any], labels: np.ndarray) -> Loss:
    smoothed = options.get("label_smooth", True)
    return functools.partial(
        cross_entropy.loss,
        labels=labels.astype(np.int32),
        scale=options.get("scale", 16),
        label_smoothing=options.get("eps", 0.1) if smoothed else 0.0,
        log_accuracy=options.get("log_accuracy", False),
    )


def _binary_cross_entropy(options: Mapping[str, Any], labels: np.ndarray) -> Loss:
    """In the table of losses the labels are the target; networks supply theirs."""
    bound = functools.partial(binary_cross_entropy.loss, epsilon=options.get("eps", 1e-9))

    def loss(
        probabilities: jax.Array, target: Any = labels, mask: Any = None
    ) -> tuple[jax.Array, dict[str, jax.Array]]:
        if mask is None:
            mask = jnp.ones(probabilities.shape[:2], bool)
        value, scalars = bound(probabilities, target, mask)
        # OpenGait reports the mIoU of every frame.
        frames = [x.reshape(-1, 1, 1, *x.shape[2:]) for x in (probabilities, target, mask)]
        return value, scalars | {"miou": jax.vmap(bound)(*frames)[1]["miou"]}

    return loss


def _contrast_views(options: Mapping[str, Any], labels: np.ndarray) -> Loss:
    """Of several views of each sequence: an axis in the table of losses, rows in networks.

    A mask in place of labels says which are the positives of each sequence's first view.
    """
    temperature = options.get("temperature", 0.01)
    base = options.get("base_temperature", 0.07)

    def loss(embeddings: jax.Array) -> tuple[jax.Array, dict[str, jax.Array]]:
        if embeddings.ndim == 3:
            embeddings = jnp.moveaxis(embeddings, 2, 1).reshape(-1, embeddings.shape[1])
        views = len(embeddings) // len(labels)
        if labels.ndim == 1:
            repeated = np.repeat(labels, views)
            return supervised_contrastive.loss(embeddings, repeated, temperature, base)
        similarity = embeddings[::views] @ embeddings.T / temperature
        own = np.eye(len(embeddings), dtype=bool)[::views]
        positive = np.repeat(labels > 0, views, axis=1)
        each = supervised_contrastive.contrast(similarity, positive, own)
        value = jnp.mean(each) * temperature / base
        return value, {"loss": value}

    return loss


def _contrast_distances(options: Mapping[str, Any], labels: np.ndarray) -> Loss:
    temperature = options.get("temperature", 0.01)
    return functools.partial(
        supervised_contrastive.loss,
        labels=labels,
        temperature=temperature,
        base_temperature=temperature,
        similarity="distance",
        active_only=True,
    )


CLASSES = {
    "TripletLoss": _triplet,
    "CrossEntropyLoss": _cross_entropy,
    "BinaryCrossEntropyLoss": _binary_cross_entropy,
    "SupConLoss": _contrast_views,
    "SupConLoss_Re": _contrast_views,
    "SupConLoss_Lp": _contrast_distances,
}


def _bind(name: str) -> Callable[[Mapping[str, Any], np.ndarray], Loss]:
    if name not in CLASSES:
        raise UnsupportedError(f"loss {name}")
    return CLASSES[name]
