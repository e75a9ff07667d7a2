"""How well sequences are classified: pure functions of arrays."""

from collections.abc import Mapping

import numpy as np


def predicted(logits: np.ndarray) -> np.ndarray:
    """The class that the mean of the parts' logits is largest for.

    Args:
        logits: [N, P, classes].

    Returns:
        int64 [N]; of equal ones the first.
    """
    found: np.ndarray = logits.mean(1).argmax(1)
    return found


def scores(found: np.ndarray, truth: np.ndarray) -> Mapping[str, float]:
    """Accuracy, and precision, recall and F1 averaged over classes (macro).

    Every class counts the same that is found, or that a sequence has. The precision of a class that
    is never found is 0, and so is the recall of one that no sequence has.

    Args:
        found: int [N], classes.
        truth: int [N], classes.

    Returns:
        'accuracy', 'precision', 'recall' and 'F1', percent.
    """
    classes = np.union1d(found, truth)[:, None]
    hits = ((found == classes) & (truth == classes)).sum(1)
    named, true = (found == classes).sum(1), (truth == classes).sum(1)
    return {
        "accuracy": 100 * float(np.mean(found == truth)),
        "precision": 100 * float(np.mean(hits / np.maximum(named, 1))),
        "recall": 100 * float(np.mean(hits / np.maximum(true, 1))),
        "F1": 100 * float(np.mean(2 * hits / (named + true))),
    }
