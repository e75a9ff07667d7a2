import json
from pathlib import Path

import numpy as np
import pytest

from configs import common
from gaitjax.datasets import LISTED, Protocol, casia_b
from gaitjax.errors import UserError
from gaitjax.evaluation import protocols, ranking

GOLDEN = Path(__file__).parents[1] / "golden"
CASIA_B = casia_b.DATASET.protocols["single-view"]
FIELDS = common.base("folder").evaluation.protocol.to_dict()


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
    assert set(result.gallery.values()) == {96}
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
    monkeypatch.setattr(ranking, "PROBES", 7)
    monkeypatch.setattr(ranking, "CHUNK", 2 * 2 * 25)
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


@pytest.mark.parametrize("average", ["probes", "views"])
@pytest.mark.parametrize("unmatched", ["skip", "miss"])
def test_conditions_with_galleries_of_their_own_against_a_naive_loop(average, unmatched):
    _, identities, types, views = data = walkers()
    galleries, probes = {"A": ("g-1",), "B": ("g-2", "p-1")}, {"A": ("p-1",), "B": ("p-2",)}
    options = {"average": average, "unmatched": unmatched, "viewpoint": "/(.)[^/]*$"}
    protocol = Protocol(galleries, probes, "all", "view", ranks=(1, 3), **options)
    result = protocols.evaluate(protocol, *data, "euclidean")
    cameras = np.array([view[0] for view in views])
    for condition in "AB":
        found = {"rank-1": [], "rank-3": [], "mAP": []}  # (camera, value)
        for i in np.flatnonzero(np.isin(types, probes[condition])):
            apart = (identities != identities[i]) | (cameras != cameras[i])
            candidates = np.flatnonzero(np.isin(types, galleries[condition]) & apart)
            mate = [identities[j] == identities[i] for j in naive_ranking(data, i, candidates)]
            ranks = np.flatnonzero(mate) + 1
            if len(ranks) or unmatched == "miss":
                found["rank-1"].append((cameras[i], any(ranks <= 1)))
                found["rank-3"].append((cameras[i], any(ranks <= 3)))
            if len(ranks):
                precision = np.mean([n / k for n, k in enumerate(ranks, 1)])
                found["mAP"].append((cameras[i], precision))
        for name, values in found.items():
            score = result.scores[f"{condition}/{name}"]
            if average == "probes":
                assert score == pytest.approx(100 * np.mean([x for _, x in values]), rel=1e-6)
                continue
            of_camera = {
                camera: round(100 * np.mean([x for c, x in values if c == camera]), 2)
                for camera in sorted({c for c, _ in values})
            }
            assert result.by_view[f"{condition}/{name}"] == pytest.approx(of_camera)
            assert score == pytest.approx(np.mean(list(of_camera.values())))
    assert result.gallery == {
        "A": (types == "g-1").sum(),
        "B": np.isin(types, galleries["B"]).sum(),
    }


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


OWN = {"usual": CASIA_B, "other": Protocol(("a",), {"B": ("b",)}, "all", "none")}


def stated(**fields):
    return protocols.from_config(
        FIELDS | fields, OWN, {"PROBE_SET": ["ann-nm-[1]-c1_0", "bob-nm-2-c1_0"]}
    )


def test_a_config_chooses_a_protocol_of_the_dataset_or_states_one():
    assert stated() == CASIA_B
    assert stated(name="other") == OWN["other"]
    fields = {"gallery": ("d1",), "probes": ("NM=nm-05|nm-06", "bg-*"), "exclude": "view"}
    expected = Protocol(("d1",), {"NM": ("nm-05", "nm-06"), "bg-*": ("bg-*",)}, "all", "view")
    assert stated(**fields) == expected
    of_conditions = stated(gallery=("P=a|b", "Q=c"), probes=("P=d", "Q=e"), ranks=(1, 3))
    assert of_conditions.gallery == {"P": ("a", "b"), "Q": ("c",)}
    assert of_conditions.ranks == (1, 3)
    with pytest.raises(UserError, match=r"protocol\.probes"):
        protocols.from_config(FIELDS, {}, {})


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "best"},
        {"name": "other", "gallery": ("a",), "probes": ("b",)},
        {"gallery": ("a",)},
        {"probes": ("a",)},
        {"gallery": (1,), "probes": ("a",)},
        {"gallery": ("a",), "probes": ("N=",)},
        {"gallery": ("a",), "probes": ("=b",)},
        {"gallery": ("a",), "probes": ("N=b", "N=c")},
        {"gallery": ("a",), "probes": ("mean=b",)},
        {"gallery": ("M=a",), "probes": ("N=b",)},
        *(
            {"gallery": ("a",), "probes": ("b",), **wrong}
            for wrong in (
                {"gallery_views": "one"},
                {"exclude": "views"},
                {"average": "view"},
                {"unmatched": "miss "},
                {"ranks": (5,)},
                {"ranks": (1, 0)},
            )
        ),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(fields):
    with pytest.raises(UserError, match=r"config\.evaluation\.protocol"):
        stated(**fields)


WALKS = (
    *("ann/nm-[1]/c1_0", "ann/nm-2/c1_1", "ann/bg-1/c2_0"),
    *("bob/nm-2/c1_0", "bob/nm-3/c3_0", "cid/nm-1/c3_1"),
)
NAMES = tuple(zip(*(walk.split("/") for walk in WALKS), strict=True))


@pytest.mark.parametrize(
    ("fields", "gallery", "probes"),
    [
        ({"gallery": ("nm-*",), "probes": ("bg-*",)}, [0, 1, 3, 4, 5], [2]),
        ({"gallery": ("*", "!bg-*", "!nm-[2-9]"), "probes": ("*",)}, [0, 5], range(6)),
        (
            {"gallery": ("*", "!{PROBE_SET}"), "probes": ("P={PROBE_SET}",), "match": LISTED},
            [1, 2, 4, 5],
            [0, 3],
        ),
        ({"gallery": ("ann c1*",), "probes": ("P=!ann *|*",), "match": "{identity} {view}"},)
        + ([0, 1], [3, 4, 5]),
        ({"gallery": ("P=nm-2",), "probes": ("P=nm-3",)}, [1, 3], [4]),
    ],
)
def test_patterns_choose_by_type_or_by_any_part_of_the_name(fields, gallery, probes):
    (rows,) = protocols.select(stated(**fields), *NAMES).values()
    assert rows.gallery.tolist() == list(gallery)
    assert rows.probes.tolist() == list(probes)


def test_a_list_that_the_partition_lacks_is_named_and_so_is_what_it_has():
    with pytest.raises(UserError, match=r"GALLERY_SET.*PROBE_SET.*config\.data\.partition"):
        stated(gallery=("{GALLERY_SET}",), probes=("*",))


def test_a_viewpoint_is_the_view_or_what_is_stated():
    fields = {"gallery": ("*",), "probes": ("*",)}
    assert protocols.viewpoints(stated(**fields), *NAMES).tolist() == list(NAMES[2])
    cameras = protocols.viewpoints(stated(**fields, viewpoint="/(c.)_[01]$"), *NAMES)
    assert cameras.tolist() == ["c1", "c1", "c2", "c1", "c3", "c3"]
    for wrong in ("c.", "(c", "/(c.)_0"):
        with pytest.raises(UserError, match=r"config\.evaluation\.protocol\.viewpoint"):
            protocols.viewpoints(stated(**fields, viewpoint=wrong), *NAMES)
    with pytest.raises(UserError, match=r"config\.evaluation\.protocol\.match"):
        protocols.select(stated(**fields, match="{camera}"), *NAMES)
