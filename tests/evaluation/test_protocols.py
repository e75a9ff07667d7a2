import json
from pathlib import Path

import numpy as np
import pytest

from gaitjax.datasets import Protocol
from gaitjax.errors import UserError
from gaitjax.evaluation import protocols, ranking

GOLDEN = Path(__file__).parents[1] / "golden"
CASIA_B = Protocol(
    gallery=("nm-0[1-4]",),
    probes={"NM": ("nm-05", "nm-06"), "BG": ("bg-*",), "CL": ("cl-*",)},
    gallery_views="single",
    exclude="view",
)
FIELDS = {"gallery": (), "probes": (), "gallery_views": "all", "exclude": "none"}


@pytest.mark.parametrize(("metric", "theirs"), [("euclidean", "euc"), ("cosine", "cos")])
def test_casia_b_scores_are_those_of_opengait_to_the_last_digit(metric, theirs):
    case = json.loads((GOLDEN / "eval_single_view_CASIA-B.json").read_text())
    embeddings = np.load(GOLDEN / "eval_single_view_CASIA-B.npz")["embeddings"].transpose(0, 2, 1)
    names = case["labels"], case["types"], case["views"]
    result = protocols.evaluate(CASIA_B, embeddings, *names, metric)
    for condition in CASIA_B.probes:
        expected = case["variants"][theirs]["result"][f"scalar/test_accuracy/{condition}@R1"]
        assert result.scores[f"{condition}/rank-1"] == expected
    assert result.probes == {"NM": 48, "BG": 48, "CL": 48}
    assert result.gallery == 96
    assert result.notes == ()


def walkers(seed=0):
    """Embeddings on a coarse grid, so that many distances are equal; uneven views and types."""
    rng = np.random.default_rng(seed)
    n = 120
    embeddings = rng.integers(0, 3, (n, 2, 2)).astype(np.float32)
    identities = rng.choice(["ann", "bob", "cid", "dan", "eve"], n)
    types = rng.choice(["g-1", "g-2", "p-1", "p-2"], n)
    views = rng.choice(["000", "090", "180"], n)
    types[identities == "eve"] = "p-1"  # never in the gallery
    types[(views == "180") & (types == "p-2")] = "p-1"  # p-2 is never seen from 180
    return embeddings, identities, types, views


def naive_ranking(data, probe, candidates):
    """Candidate rows in order of distance, the earlier first among equals."""
    embeddings = data[0]
    distance = np.sqrt(((embeddings - embeddings[probe]) ** 2).sum(2)).mean(1)
    return sorted((j for j in candidates if j != probe), key=lambda j: (distance[j].round(4), j))


@pytest.mark.parametrize("gallery", [("g-*",), ("*",)])
@pytest.mark.parametrize("exclude", ["view", "none"])
def test_one_gallery_of_all_views_against_a_naive_loop(gallery, exclude, monkeypatch):
    monkeypatch.setattr(ranking, "CHUNK", 7)
    _, identities, types, views = data = walkers()
    protocol = Protocol(gallery, {"P": ("p-1", "p-2")}, "all", exclude)
    result = protocols.evaluate(protocol, *data, "euclidean")
    hits, precision, penalty, left_out = [], [], [], 0
    for i in np.flatnonzero(np.char.startswith(types, "p")):
        candidates = [
            j
            for j in range(len(types))
            if (gallery == ("*",) or types[j].startswith("g"))
            and not (exclude == "view" and (identities[i], views[i]) == (identities[j], views[j]))
        ]
        mate = [identities[j] == identities[i] for j in naive_ranking(data, i, candidates)]
        ranks = np.flatnonzero(mate) + 1
        if not len(ranks):
            left_out += 1
            continue
        hits.append([ranks[0] <= k for k in (1, 5, 10)])
        precision.append(np.mean([n / k for n, k in enumerate(ranks, 1)]))
        penalty.append(len(ranks) / ranks[-1])
    expected = [*np.mean(hits, 0), np.mean(precision), np.mean(penalty)]
    names = ["rank-1", "rank-5", "rank-10", "mAP", "mINP"]
    found = [result.scores[f"P/{name}"] for name in names]
    np.testing.assert_allclose(found, 100 * np.array(expected), rtol=1e-6)
    assert result.left_out == {"P": left_out}
    assert (left_out > 0) == (gallery == ("g-*",)) == bool(result.notes)


@pytest.mark.parametrize("exclude", ["view", "none"])
def test_galleries_of_one_view_against_a_naive_loop(exclude):
    _, identities, types, views = data = walkers()
    protocol = Protocol(("g-1", "g-2"), {"A": ("p-1",), "B": ("p-2",)}, "single", exclude)
    result = protocols.evaluate(protocol, *data, "euclidean")
    names = ("000", "090", "180")
    for condition, kind in (("A", "p-1"), ("B", "p-2")):
        cells = {}
        for row in names:
            probes = np.flatnonzero((types == kind) & (views == row))
            for column in names:
                gallery = np.flatnonzero(np.char.startswith(types, "g") & (views == column))
                nearest = [naive_ranking(data, i, gallery)[0] for i in probes]
                if len(probes):
                    hit = np.mean(identities[nearest] == identities[probes])
                    cells[row, column] = round(100 * hit, 2)
        table = result.tables[condition]
        assert table.probe_views == table.gallery_views == names
        expected = [[cells.get((row, column), np.nan) for column in names] for row in names]
        np.testing.assert_array_equal(table.rank_1, expected)
        scored = {
            row: [cells[r, c] for r, c in cells if r == row and (exclude == "none" or r != c)]
            for row, _ in cells
        }
        mean = np.mean([np.mean(x) for x in scored.values()])
        assert result.scores[f"{condition}/rank-1"] == pytest.approx(mean)
    assert result.left_out == {"A": 0, "B": 2 if exclude == "view" else 3}
    assert result.scores["mean/rank-1"] == pytest.approx(
        (result.scores["A/rank-1"] + result.scores["B/rank-1"]) / 2
    )
    assert any(note.startswith("A: ") and "counted as misses" in note for note in result.notes)


def evaluate(protocol, data=None):
    return protocols.evaluate(protocol, *(data or walkers()), "euclidean")


def test_an_empty_gallery_or_probe_names_the_pattern_and_what_exists():
    with pytest.raises(UserError, match=r"gallery.*nm-\*\|nm-9.*g-1, g-2, p-1, p-2"):
        evaluate(Protocol(("nm-*", "nm-9"), {"P": ("p-1",)}, "all", "none"))
    with pytest.raises(UserError, match=r"probes of 'P'.*P-1.*g-1"):
        evaluate(Protocol(("g-1",), {"P": ("P-1",)}, "single", "none"))


def test_a_condition_without_anything_to_score_is_refused():
    embeddings, identities, types, views = walkers()
    strangers = np.where(types == "p-1", "stranger", identities)
    protocol = Protocol(("g-1",), {"P": ("p-1",)}, "all", "none")
    with pytest.raises(UserError, match=r"none of the .* probes of 'P'"):
        evaluate(protocol, (embeddings, strangers, types, views))
    protocol = Protocol(("g-1",), {"P": ("p-1",)}, "single", "view")
    with pytest.raises(UserError, match="exclude=none"):
        evaluate(protocol, (embeddings, identities, types, np.full(len(views), "000")))


def test_an_embedding_that_is_not_finite_is_named():
    embeddings, identities, types, views = walkers()
    embeddings[5, 1, 0] = np.nan
    with pytest.raises(UserError, match=f"{identities[5]}/{types[5]}/{views[5]}"):
        evaluate(
            Protocol(("g-1",), {"P": ("p-1",)}, "all", "none"),
            (embeddings, identities, types, views),
        )


def test_a_config_without_patterns_means_the_protocol_of_the_dataset():
    assert protocols.from_config(FIELDS, CASIA_B) is CASIA_B
    with pytest.raises(UserError, match=r"protocol\.gallery"):
        protocols.from_config(FIELDS, None)


def test_patterns_in_a_config_come_before_the_protocol_of_the_dataset():
    fields = {"gallery": ("d1",), "probes": ("NM=nm-05|nm-06", "bg-*"), "exclude": "view"}
    expected = Protocol(("d1",), {"NM": ("nm-05", "nm-06"), "bg-*": ("bg-*",)}, "all", "view")
    assert protocols.from_config(FIELDS | fields, CASIA_B) == expected


@pytest.mark.parametrize(
    "fields",
    [
        {"gallery": ("a",)},
        {"probes": ("a",)},
        {"gallery": (1,), "probes": ("a",)},
        {"gallery_views": "one"},
        {"exclude": "views"},
        {"gallery": ("a",), "probes": ("N=",)},
        {"gallery": ("a",), "probes": ("=b",)},
        {"gallery": ("a",), "probes": ("N=b", "N=c")},
        {"gallery": ("a",), "probes": ("mean=b",)},
    ],
)
def test_a_config_that_makes_no_sense_is_refused(fields):
    with pytest.raises(UserError, match=r"config\.evaluation\.protocol"):
        protocols.from_config(FIELDS | fields, CASIA_B)
