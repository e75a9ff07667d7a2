"""Scores of what networks predict instead of embeddings: classes of sequences, and masks."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from gaitjax.datasets import class_of
from gaitjax.errors import UserError
from gaitjax.evaluation import classification
from gaitjax.evaluation.protocols import Result, with_mean
from gaitjax.evaluation.tallies import Tally

MASK = "mask"
Labels = Mapping[str, Mapping[str, int]]  # as `gaitjax.datasets.Dataset.labels`


def known(labels: Labels, predictions: Iterable[str]) -> list[str]:
    """Those of a network's predictions that there is a truth for.

    Args:
        labels: what types tell.
        predictions: their names.
    """
    return [name for name in predictions if name in labels or name == MASK]


def evaluate(
    labels: Labels,
    predictions: Mapping[str, np.ndarray],
    identities: Sequence[str],
    types: Sequence[str],
) -> Result:
    """Scores the predictions of N sequences.

    A label gives accuracy, and precision, recall and F1 averaged over classes, each percent; a mask
    gives mIoU, the mean over all frames of the intersection with the true mask over their union.

    Args:
        labels: label -> pattern of types -> class.
        predictions: label -> logits [N, P, classes]; 'mask' -> [N, 2], the sum over frames of
            intersections over unions, and the number of frames.
        identities: N names.
        types: N names.

    Raises:
        UserError: if a prediction is not finite, or a type has no class.
    """
    scores, notes, tallies = {}, [], {}
    people, person = np.unique(np.asarray(identities, str), return_inverse=True)

    def by_person(sums: np.ndarray, of: np.ndarray) -> Tally:
        added = np.bincount(person, sums), np.bincount(person, of).astype(np.int64)
        return Tally(tuple(people.tolist()), *(x[None] for x in added))

    for name in known(labels, predictions):
        values = predictions[name]
        if not np.isfinite(values).all():
            raise UserError(f"the prediction {name} is not finite; take an earlier checkpoint")
        if name == MASK:
            total, frames = values.sum(0, dtype=np.float64)
            scores[name] = {"mIoU": 100 * float(total / frames)}
            tallies[f"{name}/mIoU"] = by_person(*values.T)
            continue
        truth = _truth(name, labels[name], types)
        found = classification.predicted(values)
        scores[name] = dict(classification.scores(found, truth))
        tallies[f"{name}/accuracy"] = by_person(found == truth, np.ones(len(types)))
        notes += _missing(name, labels[name], found, truth)
    return Result(
        description=f"{', '.join(scores)}, as predicted",
        metric="",
        scores=with_mean(scores),
        tables={},
        by_view={},
        gallery={},
        probes=dict.fromkeys(scores, len(types)),
        left_out=dict.fromkeys(scores, 0),
        notes=tuple(notes),
        tallies=tallies,
    )


def _truth(label: str, classes: Mapping[str, int], types: Sequence[str]) -> np.ndarray:
    """The class of each type, int [N]."""
    of_type = {type_: class_of(classes, type_) for type_ in set(types)}
    without = [type_ for type_, found in of_type.items() if found < 0]
    if without:
        raise UserError(
            f"the type {min(without)!r} has no {label}; expected one of {', '.join(classes)}"
        )
    return np.array([of_type[type_] for type_ in types])


def _missing(
    label: str, classes: Mapping[str, int], found: np.ndarray, truth: np.ndarray
) -> list[str]:
    """What makes the means over classes lower, or of fewer classes, than they seem."""
    notes = []
    for name, number in classes.items():
        if number not in truth:
            notes.append(f"{label}: no sequence is {name}")
        elif number not in found:
            notes.append(f"{label}: nobody is found to be {name}, so that its scores are 0")
    return notes
