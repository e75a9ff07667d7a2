import numpy as np
import pytest

from gaitjax.data.samplers import PairSampler, PKSampler, build
from gaitjax.errors import UserError

LABELS = np.repeat([4, 0, 2, 9, 5, 7], [10, 3, 8, 1, 12, 6])[
    np.random.default_rng(1).permutation(40)
]


def test_draws_p_identities_with_k_sequences_one_after_another():
    sampler = PKSampler(LABELS, identities=4, sequences=5, seed=0)
    for step in range(200):
        rows = sampler.rows(step)
        labels = LABELS[rows].reshape(4, 5)
        assert (labels == labels[:, :1]).all()
        assert len(set(labels[:, 0].tolist())) == 4
        for label, mine in zip(labels[:, 0], rows.reshape(4, 5), strict=True):
            available = int((label == LABELS).sum())
            assert available < 5 or len(set(mine.tolist())) == 5


def test_repeats_sequences_only_of_identities_that_have_too_few():
    sampler = PKSampler(LABELS, identities=6, sequences=12, seed=0)
    drawn = np.concatenate([sampler.rows(step) for step in range(100)])
    assert set(drawn.tolist()) == set(range(len(LABELS)))


def test_draws_all_identities_and_sequences_equally_often():
    labels = np.repeat(np.arange(10), 6)
    sampler = PKSampler(labels, identities=2, sequences=2, seed=3)
    counts = np.bincount(np.concatenate([sampler.rows(step) for step in range(3000)]))
    expected = 3000 * 4 / 60
    assert ((counts - expected) ** 2 / expected).sum() < 120  # chi-squared with 59 degrees


def test_a_step_depends_on_seed_and_step_alone():
    first = PKSampler(LABELS, 3, 4, seed=7)
    backwards = [first.rows(step) for step in range(9, -1, -1)][::-1]
    again = [PKSampler(LABELS, 3, 4, seed=7).rows(step) for step in range(10)]
    np.testing.assert_array_equal(backwards, again)
    assert len({tuple(rows) for rows in again}) == 10
    assert not np.array_equal(PKSampler(LABELS, 3, 4, seed=8).rows(0), again[0])


def test_a_million_sequences_are_sorted_once():
    labels = np.random.default_rng(0).integers(0, 100_000, 1_000_000)
    sampler = PKSampler(labels, identities=32, sequences=4, seed=0)
    rows = np.stack([sampler.rows(step) for step in range(300)])  # minutes, were each step to sort
    assert (labels[rows].reshape(300, 32, 4).std(axis=2) == 0).all()


@pytest.mark.parametrize(
    ("identities", "sequences", "seed", "message"),
    [
        (7, 4, 0, r"config\.data\.sampler\.identities is 7, but .* has 6 identities"),
        (0, 4, 0, r"config\.data\.sampler is 0 identities x 4 sequences"),
        (2, 0, 0, r"config\.data\.sampler is 2 identities x 0 sequences"),
        (2, 4, -1, r"config\.seed is -1"),
    ],
)
def test_refuses_what_cannot_be_drawn(identities, sequences, seed, message):
    with pytest.raises(UserError, match=message):
        PKSampler(LABELS, identities, sequences, seed)


def test_an_empty_split_is_said():
    with pytest.raises(UserError, match="has 0 identities"):
        PKSampler(np.zeros(0, np.int32), 8, 16, 0)


def test_pairs_are_two_adjacent_views_of_distinct_sequences():
    sampler = PairSampler(40, 8, seed=0)
    for step in range(20):
        first, second = sampler.rows(step).reshape(8, 2).T
        np.testing.assert_array_equal(first, second)
        assert len(set(first.tolist())) == 8


def test_pairs_see_every_sequence_once_an_epoch_in_another_order():
    sampler = PairSampler(40, 8, seed=0)
    epochs = np.stack([sampler.rows(step)[::2] for step in range(10)]).reshape(2, 40)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(40), (2, 1)))
    assert (epochs[0] != epochs[1]).any()


def test_pairs_leave_no_sequence_out_for_good():
    rest = PairSampler(11, 4, seed=1)  # three are left over in each epoch, as in OpenGait
    assert set(np.concatenate([rest.rows(step) for step in range(20)]).tolist()) == set(range(11))


def test_pairs_depend_on_seed_and_step_alone():
    first = PairSampler(40, 8, seed=7)
    backwards = [first.rows(step) for step in range(9, -1, -1)][::-1]
    np.testing.assert_array_equal(
        backwards, [PairSampler(40, 8, seed=7).rows(step) for step in range(10)]
    )
    assert not np.array_equal(PairSampler(40, 8, seed=8).rows(0), first.rows(0))


def test_a_config_names_its_sampler():
    fields = {"identities": 2, "sequences": 3}
    assert build({**fields, "type": "triplet"}, LABELS, 0).batch == 6
    assert build({**fields, "type": "pairs"}, LABELS, 0).batch == 12
    with pytest.raises(UserError, match=r"sampler\.type is 'pair'; expected triplet or pairs"):
        build({**fields, "type": "pair"}, LABELS, 0)
    with pytest.raises(UserError, match=r"sequences = 42 sequences for pairs; expected 1 to 40"):
        build({"type": "pairs", "identities": 6, "sequences": 7}, LABELS, 0)
