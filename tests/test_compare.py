"""Results side by side: every number is that of its file, and what cannot be compared is named."""

import csv
import io
import json
import re
import shutil

import numpy as np
import pytest

from gaitjax import compare
from gaitjax.datasets import Protocol
from gaitjax.errors import UserError
from gaitjax.evaluation import protocols, report

PROTOCOL = Protocol(("g",), {"A_1": ("a",), "B": ("b",)}, "all", "none", ranks=(1,))
FACTS = {"config": {"data": {"dataset": "folder"}}}


def write(folder, name, noise, metric="euclidean", protocol=PROTOCOL, people=20):
    names = [(f"{i:02}", kind, view) for i in range(people) for kind in "gab" for view in "xy"]
    person = np.random.default_rng(0).normal(size=(people, 2, 4))
    rng = np.random.default_rng(1)
    embeddings = [person[int(name[0])] + noise * rng.normal(size=(2, 4)) for name in names]
    columns = zip(*names, strict=True)
    result = protocols.evaluate(protocol, np.array(embeddings, "f4"), *columns, metric)
    report.write(result, folder, name, FACTS)
    return folder / f"{name}.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write(folder / "run", "evaluation-9", 0.3)
    write(folder / "run", "evaluation-10", 0.6)
    write(folder, "other_50%", 0.9)
    return folder


def scores(path):
    return json.loads(path.read_text())["scores"]


def called(capsys, *arguments):
    compare.main([*map(str, arguments), "--resamples=200"])
    return capsys.readouterr().out


def test_csv_has_every_number(folder, capsys):
    run, other = folder / "run", folder / "other_50%.json"
    rows = list(csv.DictReader(io.StringIO(called(capsys, run, other, "--format=csv"))))
    wanted = {str(run): scores(run / "evaluation-10.json"), str(other): scores(other)}
    assert len(rows) == 2 * len(scores(other)) == 18
    for row in rows:
        key = f"{row['condition']}/{row['metric']}"
        assert float(row["value"]) == wanted[row["result"]][key]
        if row["result"] == str(run):
            assert row["difference"] == row["low"] == row["high"] == ""
        else:
            gain = wanted[str(other)][key] - wanted[str(run)][key]
            assert float(row["difference"]) == gain
            assert float(row["low"]) <= gain <= float(row["high"])


def test_markdown_is_a_table_and_says_how(folder, capsys):
    run, other = folder / "run", folder / "other_50%.json"
    text = called(capsys, run, other)
    head, line, *rows = text.split("\n\n")[0].splitlines()
    assert [len(re.findall(r"\|", row)) for row in (head, line, *rows)] == [4] * 11
    assert str(run) in head
    assert str(other) in head
    assert re.search(r"\| A_1 rank-1 \| \d+\.\d\d \| \d+\.\d\d \(-\d+\.\d\d: -\d+\.\d\d to ", text)
    for said in ("paired bootstrap over the identities of", "200 resamples", "seed 0", "95 %"):
        assert said in text
    assert called(capsys, run, other) == text
    assert called(capsys, run, other, "--seed=1") != text


def test_latex_means_nothing_by_a_name(folder, capsys, tmp_path):
    given = folder / "run", folder / "other_50%.json", "--format=latex"
    said = called(capsys, *given, f"--output={tmp_path / 'table.tex'}")
    assert said == ""
    lines = (tmp_path / "table.tex").read_text().splitlines()
    body = [line for line in lines if not line.startswith("%")]
    assert body[0] == r"\begin{tabular}{lrr}"
    assert r"other\_50\%.json" in body[2]
    assert sum(line.endswith(r" \\") for line in body) == 10
    assert any(line.startswith(r"A\_1 rank-1 & ") for line in body)


def test_several_results_are_compared_with_the_first(folder, capsys):
    paths = [folder / "run/evaluation-9.json", folder / "run", folder / "other_50%.json"]
    rows = list(csv.DictReader(io.StringIO(called(capsys, *paths, "--format=csv"))))
    first, *others = [row for row in rows if row["condition"] == "mean"][:3]
    for row in others:
        assert float(row["difference"]) == float(row["value"]) - float(first["value"])


def test_another_metric_is_marked(folder, capsys, tmp_path):
    cosine = write(tmp_path, "cosine", 0.3, metric="cosine")
    text = called(capsys, folder / "run", cosine)
    assert f"Distances: {folder / 'run'} euclidean, {cosine} cosine." in text


def test_without_the_same_identities_there_is_no_interval(folder, capsys, tmp_path):
    changed = tmp_path / "changed.json"
    content = json.loads((folder / "run/evaluation-9.json").read_text())
    content["by_identity"]["B"]["identities"][0] = "someone"
    changed.write_text(json.dumps(content))
    text = called(capsys, folder / "run", changed)
    assert f"{changed}: no intervals, for its probes are not those of" in text
    assert " to " not in text.split("\n\n")[0]


def test_scores_that_are_no_averages_have_no_interval(folder, capsys, tmp_path):
    paths = [tmp_path / name for name in ("a.json", "b.json")]
    for path in paths:
        content = json.loads((folder / "run/evaluation-9.json").read_text())
        path.write_text(json.dumps({**content, "by_identity": {}}))
    text = called(capsys, *paths)
    assert f"{paths[1]}: no intervals, for its scores are no averages over probes." in text
    assert "bootstrap" not in text


def test_other_tasks_are_refused(folder, capsys, tmp_path):
    single = Protocol(("g",), {"A_1": ("a",), "B": ("b",)}, "single", "none", ranks=(1,))
    fewer = write(tmp_path, "fewer", 0.3, people=19)
    dataset = tmp_path / "dataset.json"
    dataset.write_text((folder / "run/evaluation-9.json").read_text().replace("folder", "oumvlp"))
    others = {
        write(tmp_path, "single", 0.3, protocol=single): "protocol .*each view",
        fewer: r"probes \{'A_1': 40.*'A_1': 38",
        dataset: "dataset folder .* oumvlp",
    }
    for path, named in others.items():
        with pytest.raises(UserError, match=f"not of one task: .*{named}"):
            called(capsys, folder / "run", path)


LIES = {
    "no JSON": b"{",
    "nested": b"[" * 100_000,
    "a list": b"[]",
    "of an older gaitjax": b'{"scores": {}, "metric": "cosine"}',
    "no text": b"\xff\xfe",
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_no_result_is_refused(folder, capsys, tmp_path, lie):
    (tmp_path / "lie.json").write_bytes(LIES[lie])
    with pytest.raises(UserError, match=r"lie\.json is no result"):
        called(capsys, folder / "run", tmp_path / "lie.json")


@pytest.mark.parametrize(
    "change",
    [
        lambda own: own["sums"].update({"rank-1": [[1]]}),
        lambda own: own["of"].update({"rank-1": [["many"] * 20]}),
        lambda own: own["of"].pop("rank-1"),
        lambda own: own.update(identities=[1] * 20),
        lambda own: own["of"].update({"rank-1": [[-1] * 20]}),
        lambda own: own["sums"].update({"rank-1": [[float("nan")] * 20]}),
    ],
)
def test_tallies_that_lie_are_refused(folder, capsys, tmp_path, change):
    content = json.loads((folder / "run/evaluation-9.json").read_text())
    change(content["by_identity"]["B"])
    (tmp_path / "lie.json").write_text(json.dumps(content))
    with pytest.raises(UserError, match=r"lie\.json is no result"):
        called(capsys, folder / "run", tmp_path / "lie.json")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--help"),
        (["run"], "two results"),
        (["run", "run"], "given twice"),
        (["run", "missing.json"], "missing.json cannot be read"),
        (["run", "empty"], "empty holds no evaluation-STEP.json"),
        (["run", "other_50%.json", "--format=html"], "html"),
        (["run", "other_50%.json", "--resamples=0"], "--resamples"),
    ],
)
def test_wrong_arguments_are_refused(folder, tmp_path, monkeypatch, arguments, named):
    shutil.copytree(folder, tmp_path / "here")
    (tmp_path / "here/empty").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UserError, match=named):
        compare.main(arguments)
