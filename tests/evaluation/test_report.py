import csv
import json
import math

import numpy as np
import pytest

from gaitjax.datasets import Protocol
from gaitjax.errors import UserError
from gaitjax.evaluation import open_set, protocols, report


@pytest.fixture
def result():
    """Two views and two conditions; the second is seen from one view only."""
    rows = [(i, t, v) for i in "ab" for t in ("g", "p", "q") for v in ("000", "090")]
    rows = [row for row in rows if row[1:] != ("q", "090")]
    embeddings = np.random.default_rng(0).normal(size=(len(rows), 2, 3)).astype(np.float32)
    protocol = Protocol(("g",), {"P": ("p",), "Q": ("q",)}, "single", "view", ranks=(1,))
    return protocols.evaluate(protocol, embeddings, *zip(*rows, strict=True), "cosine")


def test_json_holds_scores_tables_and_facts(result, tmp_path):
    report.write(result, tmp_path / "new", "best", {"step": 7, "config": {"network": "x"}})
    found = json.loads((tmp_path / "new" / "best.json").read_text(), parse_constant=pytest.fail)
    assert found["step"] == 7
    assert found["config"] == {"network": "x"}
    assert found["scores"] == result.scores
    assert found["left_out"] == {"P": 0, "Q": 1}
    assert found["tables"]["Q"]["rank-1"][1] == [None, None]
    assert found["tables"]["P"]["rank-1"] == result.tables["P"].rank_1.tolist()


def test_csv_holds_every_number(result, tmp_path):
    report.write(result, tmp_path, "best", {})
    with (tmp_path / "best.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = {(r["condition"], r["probe view"], r["gallery view"]): float(r["value"]) for r in rows}
    assert found["mean", "", ""] == result.scores["mean/rank-1"]
    assert found["P", "090", "000"] == result.tables["P"].rank_1[1, 0]
    assert found["P", "090", ""] == result.tables["P"].means[1]
    assert ("Q", "090", "000") not in found
    assert len(found) == len(rows) == 3 + 6 + 3


def test_the_log_shows_every_pair_of_views_and_what_is_left_out(result):
    text = report.lines(result)
    table = text[text.index(next(line for line in text if line.startswith("P:"))) + 1 :][:3]
    assert table[0].split() == ["000", "090", "mean"]
    cells = [f"{x:.2f}" for x in (*result.tables["P"].rank_1[1], result.tables["P"].means[1])]
    assert table[2].split() == ["090", *cells]
    assert any(line.split() == ["090", "-", "-", "-"] for line in text)
    assert set(result.notes) <= set(text)


def test_open_set_figures_are_in_the_log_the_json_and_the_csv(tmp_path):
    names = [(i, t, v) for i in "abcd" for t in ("g", "p") for v in ("000", "090")]
    names = [name for name in names if name[:2] != ("d", "g")]  # d is a stranger
    embeddings = np.random.default_rng(0).normal(size=(len(names), 2, 3)).astype(np.float32)
    protocol = Protocol(("g",), {"P": ("p",)}, "single", "view", ranks=(1,))
    asked = open_set.Options((0.25,), 20, 0)
    result = protocols.evaluate(protocol, embeddings, *zip(*names, strict=True), "cosine", asked)
    found = result.open_set["P"]
    assert (found.genuine, found.impostor, found.strangers) == (6, 6 * 2 + 2 * 3, 2)
    text = report.lines(result)
    title = next(i for i, line in enumerate(text) if line.startswith("open set"))
    header, row = text[title + 1 : title + 3]
    assert header.split()[3:] == ["EER", "TPR@FAR=0.25", "DIR@FAR=0.25"]
    rate = found.identified[0.25]
    assert row.endswith(f"{rate.percent:.2f} ({rate.low:.2f} to {rate.high:.2f})")
    report.write(result, tmp_path, "best", {})
    written = json.loads((tmp_path / "best.json").read_text())["open_set"]["P"]
    assert written["TPR@FAR=0.25"] == found.accepted[0.25]._asdict()
    assert written["strangers"] == 2
    assert f"P,,,EER,{found.equal_error.percent}" in (tmp_path / "best.csv").read_text()


def test_scalars_are_finite(result):
    found = report.scalars(result)
    assert found["P/rank-1/090"] == result.tables["P"].means[1]
    assert found.keys() >= result.scores.keys()
    assert all(math.isfinite(x) for x in found.values())


def test_a_folder_that_cannot_be_written_to_is_named(result, tmp_path):
    blocked = tmp_path / "file"
    blocked.touch()
    with pytest.raises(UserError, match=r"best\.json"):
        report.write(result, blocked, "best", {})


def test_a_failed_write_leaves_the_old_file_and_nothing_else(result, tmp_path, monkeypatch):
    (tmp_path / "best.json").write_text("old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", full)
    with pytest.raises(UserError, match="No space left"):
        report.write(result, tmp_path, "best", {})
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("best.json", "old")]
