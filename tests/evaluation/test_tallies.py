"""Tallies give the protocol's scores, resampled ones give what resampled probes would."""

import json

import numpy as np
import pytest

from gaitjax.datasets import Protocol
from gaitjax.evaluation import protocols, tallies
from gaitjax.evaluation.tallies import Tally, tally

FORMS = {
    "one gallery": Protocol(("g-*",), {"A": ("a-*",), "B": ("b-*",)}, "all", "view"),
    "means over views": Protocol(
        ("g-*",), {"A": ("a-*",), "B": ("b-*",)}, "all", "none", average="views"
    ),
    "misses": Protocol(("g-*",), {"A": ("a-*",), "B": ("b-*",)}, "all", "view", unmatched="miss"),
    "galleries of a view": Protocol(("g-*",), {"A": ("a-*",), "B": ("b-*",)}, "single", "view"),
}


def result(protocol, seed=0):
    """Fifteen persons, a third of them without a gallery sequence, some seen from fewer views."""
    names = [
        (f"{i:02}", f"{kind}-{take}", view)
        for i in range(15)
        for kind in ("g", "a", "b")
        for take in range(2)
        for view in ("000", "045", "090")
        if (i % 3 or kind != "g") and (i % 4 or view != "045")
    ]
    rng = np.random.default_rng(seed)
    person = np.random.default_rng(9).normal(size=(15, 2, 3))
    embeddings = [person[int(name[0])] + rng.normal(size=(2, 3)) for name in names]
    columns = zip(*names, strict=True)
    return protocols.evaluate(protocol, np.array(embeddings, np.float32), *columns, "euclidean")


@pytest.mark.parametrize("form", FORMS)
def test_tallies_are_what_scores_are_made_of(form):
    found = result(FORMS[form])
    assert found.tallies.keys() == {key for key in found.scores if not key.startswith("mean/")}
    for key, own in found.tallies.items():
        once = np.ones((1, len(own.identities)))
        assert tallies.score(own, once)[0] == pytest.approx(found.scores[key], abs=0.006)
        assert own.of.sum() <= found.probes[key[0]]


def test_a_resampled_score_is_that_of_resampled_probes():
    rng = np.random.default_rng(0)
    n = 60
    identities, views = rng.choice(list("cafe"), n), rng.integers(0, 3, n)
    values = np.where(rng.random(n) < 0.2, np.nan, rng.random(n))
    own = tally(values, identities, views)
    assert own.identities == ("a", "c", "e", "f")
    for weights in ([1, 0, 2, 1], [0, 4, 0, 0], [1, 1, 1, 1]):
        rows = [
            row
            for name, times in zip(own.identities, weights, strict=True)
            for row in np.flatnonzero(identities == name).tolist() * times
        ]
        means = [np.nanmean(values[rows][views[rows] == view]) for view in range(3)]
        found = tallies.score(own, np.array([weights], float))
        np.testing.assert_allclose(found, [100 * np.mean(means)], rtol=1e-12)


def test_a_sample_without_probes_has_no_score():
    own = Tally(("a", "b"), np.array([[1.0, 0.0]]), np.array([[2, 0]]))
    np.testing.assert_array_equal(
        tallies.score(own, np.array([[0.0, 2.0], [1.0, 1.0]])), [np.nan, 50]
    )


def of_hits(hits):
    """A tally of [identities, probes] hits."""
    names = tuple(f"{i:03}" for i in range(len(hits)))
    of = np.full((1, len(hits)), hits.shape[1])
    return {"A/rank-1": Tally(names, hits.sum(1)[None] * 1.0, of)}


def test_intervals_are_those_of_the_mean_over_identities():
    rng = np.random.default_rng(0)
    first, other = (rng.random((200, 4)) < share for share in (0.5, 0.6))
    low, high = tallies.intervals(of_hits(first), of_hits(other), 4000, 0)["A/rank-1"]
    gains = 100 * (other.mean(1) - first.mean(1))
    deviation = gains.std() / np.sqrt(len(gains))
    assert low == pytest.approx(gains.mean() - 1.96 * deviation, abs=0.1 * deviation)
    assert high == pytest.approx(gains.mean() + 1.96 * deviation, abs=0.1 * deviation)


def test_more_probes_of_the_same_identities_make_nothing_surer():
    rng = np.random.default_rng(0)
    first, other = (rng.random((30, 4)) < share for share in (0.5, 0.6))
    repeated = [np.tile(hits, 10) for hits in (first, other)]
    once = tallies.intervals(of_hits(first), of_hits(other), 200, 3)
    assert once["A/rank-1"] == pytest.approx(
        tallies.intervals(*map(of_hits, repeated), 200, 3)["A/rank-1"]
    )


def test_intervals_follow_from_the_seed_and_vanish_between_equals():
    first, other = (result(FORMS["one gallery"], seed).tallies for seed in (0, 1))
    found = tallies.intervals(first, other, 100, 5)
    assert found == tallies.intervals(first, other, 100, 5)
    assert found != tallies.intervals(first, other, 100, 6)
    assert found.keys() == {*first, "mean/rank-1", "mean/rank-5", "mean/rank-10"} | {
        "mean/mAP",
        "mean/mINP",
    }
    assert set(tallies.intervals(first, first, 100, 5).values()) == {(0.0, 0.0)}


def test_conditions_are_resampled_together():
    """What one condition gains and the other loses, the mean over both does not notice."""
    rng = np.random.default_rng(0)
    a, b = (rng.random((20, 4)) < 0.5 for _ in range(2))
    first = of_hits(a) | {"B/rank-1": of_hits(b)["A/rank-1"]}
    other = of_hits(b) | {"B/rank-1": of_hits(a)["A/rank-1"]}
    found = tallies.intervals(first, other, 100, 0)
    assert found["mean/rank-1"] == pytest.approx((0, 0), abs=1e-12)
    assert found["A/rank-1"][0] < found["A/rank-1"][1]


def test_json_holds_tallies():
    for form in FORMS.values():
        made = result(form).tallies
        found = tallies.decode(json.loads(json.dumps(tallies.encode(made))))
        assert found.keys() == made.keys()
        for key, (identities, sums, of) in made.items():
            assert found[key].identities == identities
            np.testing.assert_allclose(found[key].sums, sums, atol=1e-6)
            np.testing.assert_array_equal(found[key].of, of)
