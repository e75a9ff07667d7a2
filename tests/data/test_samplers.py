import numpy as np
import pytest

from gaitjax.data.samplers import EpochSampler, MixedSampler, PKSampler, build, shares
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


def test_views_are_adjacent_rows_of_distinct_sequences():
    sampler = EpochSampler(40, 8, seed=0, views=2)
    for step in range(20):
        first, second = sampler.rows(step).reshape(8, 2).T
        np.testing.assert_array_equal(first, second)
        assert len(set(first.tolist())) == 8


@pytest.mark.parametrize("views", [1, 2])
def test_an_epoch_sees_every_sequence_once_in_another_order(views):
    sampler = EpochSampler(40, 8, seed=0, views=views)
    assert sampler.batch == 8 * views
    epochs = np.stack([sampler.rows(step)[::views] for step in range(10)]).reshape(2, 40)
    np.testing.assert_array_equal(np.sort(epochs), np.tile(np.arange(40), (2, 1)))
    assert (epochs[0] != epochs[1]).any()


def test_epochs_leave_no_sequence_out_for_good():
    rest = EpochSampler(11, 4, seed=1)  # three are left over in each epoch, as in OpenGait
    assert set(np.concatenate([rest.rows(step) for step in range(20)]).tolist()) == set(range(11))


def test_epochs_depend_on_seed_and_step_alone():
    first = EpochSampler(40, 8, seed=7)
    backwards = [first.rows(step) for step in range(9, -1, -1)][::-1]
    np.testing.assert_array_equal(
        backwards, [EpochSampler(40, 8, seed=7).rows(step) for step in range(10)]
    )
    assert not np.array_equal(EpochSampler(40, 8, seed=8).rows(0), first.rows(0))


def mixed(shares, seed=0):
    return MixedSampler([EpochSampler(n, 4, seed) for n in (8, 12, 20)], (8, 12, 20), shares, seed)


def set_of(rows):
    """0, 1 or 2, of rows that all lie in one set."""
    found = np.unique(np.searchsorted([8, 20], rows, side="right"))
    assert len(found) == 1
    return int(found[0])


def test_a_step_draws_from_one_set_as_often_as_its_share_says():
    sampler = mixed((0.5, 0.2, 0.3))
    counts = np.bincount([set_of(sampler.rows(step)) for step in range(600)])
    np.testing.assert_allclose(counts / 600, (0.5, 0.2, 0.3), atol=0.06)


def test_every_set_keeps_its_own_epochs():
    sampler = mixed((0.5, 0.2, 0.3))
    rows = {0: [], 1: [], 2: []}
    for step in range(60):
        drawn = sampler.rows(step)
        rows[set_of(drawn)].append(drawn)
    for which, (start, size) in enumerate([(0, 8), (8, 12), (20, 20)]):
        epochs = np.concatenate(rows[which])
        epochs = epochs[: len(epochs) // size * size].reshape(-1, size)
        np.testing.assert_array_equal(
            np.sort(epochs), np.tile(np.arange(start, start + size), (len(epochs), 1))
        )


def test_mixed_steps_depend_on_seed_and_step_alone():
    backwards = [mixed((0.5, 0.2, 0.3)).rows(step) for step in range(19, -1, -1)][::-1]
    first = mixed((0.5, 0.2, 0.3))
    np.testing.assert_array_equal([first.rows(step) for step in range(20)], backwards)
    others = [mixed((0.5, 0.2, 0.3), seed=1).rows(step) for step in range(20)]
    assert [set_of(rows) for rows in others] != [set_of(rows) for rows in backwards]


def test_shares_follow_the_weights_or_the_third_roots_of_the_sizes():
    assert shares((10, 90), (3, 1)) == [0.75, 0.25]
    sizes = np.array([8107.0, 20000, 92000])
    logits = np.log(sizes) / 3  # as OpenGait has it
    np.testing.assert_allclose(shares(sizes, (0, 0, 0)), np.exp(logits) / np.exp(logits).sum())
    for weights in ((1, 0), (-1, 2), (-1, -1)):
        with pytest.raises(UserError, match=r"weights of config\.data\.sets are"):
            shares((10, 20), weights)


def test_a_config_names_its_sampler():
    fields = {"identities": 2, "sequences": 3}
    assert build({**fields, "type": "triplet"}, LABELS, 0).batch == 6
    assert build({**fields, "type": "common"}, LABELS, 0).batch == 6
    assert build({**fields, "type": "pairs"}, LABELS, 0).batch == 12
    with pytest.raises(UserError, match=r"type is 'pair'; expected one of triplet, common, pairs"):
        build({**fields, "type": "pair"}, LABELS, 0)
    with pytest.raises(UserError, match=r"sequences = 42 sequences at a time; expected 1 to 40"):
        build({"type": "pairs", "identities": 6, "sequences": 7}, LABELS, 0)


def test_identities_of_one_set_make_a_batch():
    labels = np.repeat([3, 1, 0, 2], 10)
    fields = {"type": "triplet", "identities": 2, "sequences": 4}
    sampler = build(fields, labels, 0, [(20, 0.5), (20, 0.5)])
    found = {tuple(np.unique(labels[sampler.rows(step)]).tolist()) for step in range(20)}
    assert found == {(1, 3), (0, 2)}
    with pytest.raises(UserError, match="identities is 3, but the training split has 2"):
        build({**fields, "identities": 3}, labels, 0, [(20, 0.5), (20, 0.5)])
