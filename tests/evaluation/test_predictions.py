import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.evaluation import classification, predictions, report

LABELS = {"diagnosis": {"negative": 0, "neutral": 1, "positive": 2}}
PEOPLE = ["a", "b", "a", "c", "c"]
TYPES = ["negative", "Negative", "neutral", "neutral", "positive"]


def logits(found):
    """Two parts, of which the mean decides for the class."""
    chosen = np.eye(3, dtype=np.float32)[found]
    return np.stack([3 * chosen, 1 - chosen], 1)


@pytest.mark.parametrize("seed", range(5))
def test_macro_averages_against_a_naive_loop(seed):
    rng = np.random.default_rng(seed)
    found, truth = rng.integers(0, 2 + seed, 30), rng.integers(1, 4, 30)
    recall, precision, harmonic = [], [], []
    for c in sorted({*found, *truth}):
        pairs = [(f == c, t == c) for f, t in zip(found, truth, strict=True)]
        hits = sum(f and t for f, t in pairs)
        named, true = (sum(column) for column in zip(*pairs, strict=True))
        precision.append(hits / named if named else 0)
        recall.append(hits / true if true else 0)
        both = precision[-1] + recall[-1]
        harmonic.append(2 * precision[-1] * recall[-1] / both if both else 0)
    scores = classification.scores(found, truth)
    expected = [np.mean(found == truth), np.mean(precision), np.mean(recall), np.mean(harmonic)]
    assert list(scores) == ["accuracy", "precision", "recall", "F1"]
    np.testing.assert_allclose(list(scores.values()), 100 * np.array(expected))


def test_classes_are_told_by_types_and_found_by_the_mean_of_the_parts():
    result = predictions.evaluate(LABELS, {"diagnosis": logits([0, 1, 1, 1, 0])}, PEOPLE, TYPES)
    assert result.scores["diagnosis/accuracy"] == result.scores["mean/accuracy"] == 60
    assert result.main == "accuracy"
    people, hits, of = result.tallies["diagnosis/accuracy"]
    assert (people, hits.tolist(), of.tolist()) == (("a", "b", "c"), [[2, 0, 1]], [[2, 1, 2]])
    assert result.probes == {"diagnosis": 5}
    assert result.notes == ("diagnosis: nobody is found to be positive, so that its scores are 0",)
    assert report.lines(result)[1].split() == (
        ["condition", "sequences", "accuracy", "precision", "recall", "F1"]
    )


def test_a_class_that_no_sequence_has_is_told():
    result = predictions.evaluate(LABELS, {"diagnosis": logits([0, 0])}, PEOPLE[:2], TYPES[:2])
    assert result.notes == tuple(f"diagnosis: no sequence is {x}" for x in ("neutral", "positive"))


def test_the_iou_of_masks_is_the_mean_over_frames():
    found = {"mask": np.array([[3, 4], [0.5, 1]], np.float32)}
    result = predictions.evaluate({}, found, ["a", "a"], ["nm-01", "nm-02"])
    assert result.scores == {"mask/mIoU": 70, "mean/mIoU": 70}
    assert result.tallies["mask/mIoU"] == (("a",), 3.5, 5)


def test_only_what_is_known_is_scored():
    assert predictions.known(LABELS, ["age", "diagnosis", "mask"]) == ["diagnosis", "mask"]


def test_a_type_without_a_class_and_numbers_that_are_none_are_refused():
    with pytest.raises(UserError, match=r"'nm-01' has no diagnosis.*neutral"):
        predictions.evaluate(LABELS, {"diagnosis": logits([0])}, ["a"], ["nm-01"])
    with pytest.raises(UserError, match="diagnosis is not finite"):
        predictions.evaluate(LABELS, {"diagnosis": logits([0]) + np.inf}, ["a"], ["neutral"])
