import numpy as np
import pytest

from gaitjax.data import frames
from gaitjax.errors import UserError

CONFIG = {
    "sampling": "fixed",
    "order": "unordered",
    "number": 30,
    "minimum": 20,
    "maximum": 40,
    "skip": 0,
    "limit": 720,
}


def draws(length, times=200, **fields):
    config = {**CONFIG, **fields}
    drawn = np.random.default_rng(0).random((times, frames.draws_needed(config)))
    return [frames.choose(length, config, each) for each in drawn.tolist()]


def test_unordered_draws_from_everywhere_without_repeating():
    chosen = draws(50)
    assert all(len(set(c.tolist())) == 30 for c in chosen)
    assert set(np.concatenate(chosen).tolist()) == set(range(50))
    assert any((np.diff(c) < 0).any() for c in chosen)


def test_unordered_repeats_frames_of_a_short_sequence():
    chosen = draws(7)
    assert all(len(c) == 30 for c in chosen)
    assert set(np.concatenate(chosen).tolist()) == set(range(7))


@pytest.mark.parametrize("skip", [0, 5])
def test_ordered_keeps_to_a_window_in_order(skip):
    chosen = draws(50, order="ordered", skip=skip)
    assert all((np.diff(c) > 0).all() for c in chosen)
    spans = {int(c[-1] - c[0]) + 1 for c in chosen}
    assert max(spans) == 30 + skip
    assert min(int(c[0]) for c in chosen) == 0
    assert max(int(c[-1]) for c in chosen) == 49  # the last window counts too


def test_ordered_walks_through_a_short_sequence_again():
    for chosen in draws(7, order="ordered"):
        np.testing.assert_array_equal(np.diff(chosen) % 7, 1)
    for chosen in draws(7, order="ordered", skip=3):
        assert len(chosen) == 30
        assert (np.diff(chosen) % 7 <= 4).all()


@pytest.mark.parametrize("order", ["ordered", "unordered"])
def test_unfixed_draws_every_number_from_minimum_to_maximum(order):
    chosen = draws(35, times=500, sampling="unfixed", order=order)
    assert {len(c) for c in chosen} == set(range(20, 41))


@pytest.mark.parametrize("order", ["ordered", "unordered"])
def test_all_takes_everything_up_to_the_limit(order):
    for length, expected in ((7, 7), (720, 720), (900, 720)):
        chosen = draws(length, times=1, sampling="all", order=order)[0]
        np.testing.assert_array_equal(chosen, range(expected))


@pytest.mark.parametrize("order", ["ordered", "unordered"])
@pytest.mark.parametrize("length", [1, 7, 30, 31])
@pytest.mark.parametrize("draw", [0.0, 1 - 2**-53])
def test_the_least_and_the_largest_draws_choose_frames_that_there_are(draw, length, order):
    config = {**CONFIG, "order": order, "skip": 2}
    chosen = frames.choose(length, config, [draw] * frames.draws_needed(config))
    assert len(chosen) == 30
    assert set(chosen.tolist()) <= set(range(length))


def test_every_frame_is_as_likely_as_any_other_in_every_place():
    counts = np.zeros((10, 4))
    for chosen in draws(10, times=20_000, number=4):
        counts[chosen, np.arange(4)] += 1
    np.testing.assert_allclose(counts, 2000, atol=5 * np.sqrt(2000))


@pytest.mark.parametrize(("sampling", "length"), [("fixed", 30), ("unfixed", 40), ("all", 720)])
def test_padded_length_holds_every_choice(sampling, length):
    assert frames.padded_length({**CONFIG, "sampling": sampling}) == length


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"sampling": "some"}, "sampling is 'some'; expected fixed or unfixed or all"),
        ({"order": "allordered"}, "order is 'allordered'; expected ordered or unordered"),
        ({"number": 0}, "number is 0"),
        ({"minimum": 0}, "minimum is 0"),
        ({"minimum": 41}, "minimum is 41, more than the maximum 40"),
        ({"skip": -1}, "skip is -1"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_refuses_what_means_nothing(fields, message):
    with pytest.raises(UserError, match=rf"config\.data\.frames\.{message}"):
        draws(10, times=1, **fields)
    with pytest.raises(UserError, match=message):
        frames.padded_length({**CONFIG, **fields})
