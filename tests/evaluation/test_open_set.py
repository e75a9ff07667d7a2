import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.evaluation import open_set, ranking
from tests.evaluation.test_ranking import sides

FAR = (0.01, 0.05, 0.3)


def pairs(probe, gallery, exclude):
    """Distances [n, m] in float64, which count, and which are of one person."""
    own, entries = (x.embeddings[x.row].astype(np.float64) for x in (probe, gallery))
    distance = np.linalg.norm(own[:, None] - entries, axis=3).mean(2)
    same = probe.identity[:, None] == gallery.identity
    counts = probe.row[:, None] != gallery.row
    seen_alike = probe.view[:, None] == gallery.view
    if exclude != "none":
        counts &= ~(seen_alike & (same if exclude == "view" else True))
    return distance, counts, same


def naive(distance, counts, same, far, most=10_000):
    """Equal error, TPR at FAR and DIR at FAR in percent, by trying many distances."""
    genuine, impostor = distance[counts & same], distance[counts & ~same]
    tried = np.append(distance[counts][:: max(1, counts.sum() // most)], [-1, *genuine])
    false, true = ((x[:, None] <= tried).mean(0) for x in (impostor, genuine))
    equal = np.maximum(false, 1 - true).min()
    accepted = [true[false <= f].max() for f in far]
    known = (counts & same).any(1)
    nearest = np.where(counts, distance, np.inf)
    first, right = nearest.min(1), same[np.arange(len(same)), nearest.argmin(1)]
    identified = [
        max(
            (right & (first <= t))[known].mean()
            for t in [-1.0, *first]
            if (first[~known] <= t).mean() <= f
        )
        for f in far
    ]
    return 100 * np.array([equal, *accepted, *identified])


def score(probe, gallery, exclude="none", far=FAR, resamples=0, seed=0):
    return open_set.score(
        probe, gallery, "euclidean", exclude, open_set.Options(far, resamples, seed)
    )


def values(found):
    rates = [found.equal_error, *found.accepted.values(), *found.identified.values()]
    return np.array([rate.percent for rate in rates])


@pytest.mark.parametrize("exclude", ["none", "view", "whole view"])
def test_rates_equal_those_of_every_distance_tried(exclude, monkeypatch):
    monkeypatch.setattr(ranking, "PROBES", 7)
    monkeypatch.setattr(ranking, "CHUNK", 16 * 3 * 5)
    probe, gallery = sides()
    distance, counts, same = pairs(probe, gallery, exclude)
    found = score(probe, gallery, exclude)
    np.testing.assert_allclose(values(found), naive(distance, counts, same, FAR), rtol=1e-6)
    assert found.genuine == (counts & same).sum()
    assert found.impostor == (counts & ~same).sum()
    assert found.strangers == (~(counts & same).any(1)).sum() > 0
    assert np.isnan(found.equal_error.low)
    for rate, at in found.accepted.items():
        false = (distance[counts & ~same] <= at.threshold + 1e-5).mean()
        assert false <= rate
        true = 100 * (distance[counts & same] <= at.threshold + 1e-5).mean()
        assert true == pytest.approx(at.percent)
    for at in found.identified.values():
        nearest = np.where(counts, distance, np.inf)
        right = same[np.arange(len(same)), nearest.argmin(1)] & (counts & same).any(1)
        near = right & (nearest.min(1) <= at.threshold)
        assert 100 * near.sum() / (len(near) - found.strangers) == pytest.approx(at.percent)


def test_few_thresholds_lose_no_more_than_a_step(monkeypatch):
    exact = values(score(*sides()))
    monkeypatch.setattr(open_set, "THRESHOLDS", 50)
    coarse = values(score(*sides()))
    assert (np.abs(exact - coarse) <= 100 / 50).all()
    assert (exact != coarse).any()


def test_the_curve_rises_from_no_false_accepts_to_all_genuine_pairs():
    false, true = score(*sides()).curve
    assert false[0] == 0
    assert true[-1] == 1
    assert (np.diff(false) > 0).all()
    assert (np.diff(true) >= 0).all()
    assert len(false) <= open_set.POINTS


def test_intervals_are_those_of_persons_drawn_again():
    probe, gallery = sides()
    found = score(probe, gallery, resamples=400, seed=3)
    names = np.unique(probe.identity)
    whole = pairs(probe, gallery, "none")
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(100):
        chosen = [np.flatnonzero(probe.identity == i) for i in rng.choice(names, len(names))]
        resample = np.concatenate(chosen)
        known = np.unique(probe.identity[resample])
        if 3 in known and len(known) > 1:  # 3 is the stranger
            drawn.append(naive(*(x[resample] for x in whole), FAR[1:2], most=1))
    low, high = np.percentile(drawn, (2.5, 97.5), axis=0)
    rates = [found.equal_error, found.accepted[0.05]]
    for rate, a, b in zip(rates, low, high, strict=False):
        width = b - a
        assert rate.low == pytest.approx(a, abs=width / 3)
        assert rate.high == pytest.approx(b, abs=width / 3)
        assert rate.low <= rate.percent <= rate.high


def test_a_seed_draws_the_same_persons():
    one, same, other = (score(*sides(), resamples=20, seed=seed) for seed in (0, 0, 1))
    assert one.accepted == same.accepted
    assert one.accepted != other.accepted


def test_without_strangers_nobody_can_be_identified_wrongly():
    probe, gallery = sides()
    known = np.isin(probe.identity, gallery.identity)
    rows = probe.row[known & ~np.isin(probe.row, gallery.row)]
    everyone = probe._replace(
        identity=probe.identity[rows - 20], view=probe.view[rows - 20], row=rows
    )
    found = score(everyone, gallery)
    assert found.strangers == 0
    assert found.identified == {}
    alone = gallery.identity == 5
    one = gallery._replace(**{n: getattr(gallery, n)[alone] for n in ("identity", "view", "row")})
    of_five = everyone.identity == 5
    five = everyone._replace(
        **{n: getattr(everyone, n)[of_five] for n in ("identity", "view", "row")}
    )
    assert score(five, one) is None


@pytest.mark.parametrize("wrong", [{"far": (0.1, 1.0)}, {"far": ("0.1",)}, {"resamples": -1}])
def test_rates_that_make_no_sense_are_refused(wrong):
    with pytest.raises(UserError, match=rf"config\.evaluation\.open_set\.{next(iter(wrong))}"):
        open_set.from_config({"far": (0.1,), "resamples": 0, "seed": 0} | wrong)
