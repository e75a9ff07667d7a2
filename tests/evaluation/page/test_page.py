"""The report shows what was scored, trusts no name, and opens offline in a real browser."""

import html.parser
import shutil
import subprocess

import numpy as np
import pytest

from gaitjax.datasets import Protocol
from gaitjax.errors import UserError
from gaitjax.evaluation import page, protocols
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.evaluation.page import ranks

HOSTILE = "<script>alert(1)</script>$x_$"
PROTOCOL = Protocol(("g",), {"P": ("p",), HOSTILE: ("q",)}, "single", "view")
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
VOID = {"meta", "img", "br", "link", "hr", "input"}


class Walkers:
    """Sequences with silhouettes."""

    def __init__(self, rows):
        self.identities, self.types, self.views = (np.array(x) for x in zip(*rows, strict=True))

    def has(self, row, modality):
        return modality == "silhouette"

    def frames(self, row, modalities):
        return {"silhouette": np.full((5, 64, 44), 40 * row % 256, np.uint8)}


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """The folder of a report of two views, two conditions and an identity with a hostile name."""
    rows = [(i, t, v) for i in ("a", HOSTILE) for t in "gpq" for v in ("000", "090")]
    walkers = Walkers(rows)
    values = np.random.default_rng(0).normal(size=(len(rows), 2, 3)).astype(np.float32)
    names = walkers.identities, walkers.types, walkers.views
    embeddings = Embeddings(values, {}, *names, {"network": HOSTILE, "step": 7, "config": {"k": 1}})
    result = protocols.evaluate(PROTOCOL, values, *names, "euclidean")
    folder = tmp_path_factory.mktemp("report")
    page.write(folder, result, PROTOCOL, embeddings, walkers)
    return folder, result, embeddings, walkers


class Nesting(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_the_page_is_sound_and_loads_nothing(report):
    text = (report[0] / page.NAME).read_text()
    parser = Nesting()
    parser.feed(text)
    assert parser.open == []
    tags = {tag for tag, _ in parser.tags}
    assert not tags & {"script", "link", "iframe"}
    images = [attributes for tag, attributes in parser.tags if tag == "img"]
    assert images
    assert all(a["src"].startswith("data:image/") and a["alt"] for a in images)
    assert all("scope" in a for tag, a in parser.tags if tag == "th")


def test_the_page_holds_every_score(report):
    text = (report[0] / page.NAME).read_text()
    for value in report[1].scores.values():
        assert f"<td>{value:.2f}</td>" in text
    assert {p.name for p in report[0].iterdir()} == {
        page.NAME,
        *(f"{n}.{e}" for n in ("cmc", "map", "probe_views", "views") for e in ("png", "svg")),
    }


def test_without_data_there_are_names_only(report, tmp_path):
    _, result, embeddings, _ = report
    page.write(tmp_path, result, PROTOCOL, embeddings, None)
    assert "names only" in (tmp_path / page.NAME).read_text()


def test_other_data_are_refused(report, tmp_path):
    _, result, embeddings, walkers = report
    other = Walkers(list(zip(walkers.identities[::-1], walkers.types, walkers.views, strict=True)))
    with pytest.raises(UserError, match="identities of the embeddings"):
        page.write(tmp_path, result, PROTOCOL, embeddings, other)


def test_curves_begin_at_the_score(report):
    _, result, embeddings, _ = report
    for condition, searches in ranks.searches(PROTOCOL, embeddings, "euclidean").items():
        curve = ranks.cumulative_matches(searches, 2)
        assert curve[0] == pytest.approx(result.scores[f"{condition}/rank-1"], abs=0.01)
        assert curve[1] == pytest.approx(100)  # two identities in each gallery


def test_rank_lists_are_those_of_a_loop(report):
    _, _, embeddings, _ = report
    for searches in ranks.searches(PROTOCOL, embeddings, "euclidean").values():
        chosen = ranks.hardest(searches, 9) + ranks.successes(searches, 9, 0)
        assert chosen
        lists = ranks.rank_lists(PROTOCOL, embeddings, searches, chosen, "euclidean")
        for (probe, gallery), found in zip(chosen, lists, strict=True):
            x = embeddings.embeddings[found.probe]
            rows = [r for r in searches.rows.gallery if embeddings.views[r] == found.gallery]
            away = {r: np.linalg.norm(x - embeddings.embeddings[r], axis=1).mean() for r in rows}
            assert [e.row for e in found.nearest] == sorted(rows, key=away.get)
            assert found.position == searches.first[probe, gallery] + 1


@pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")
def test_a_browser_opens_it_offline_without_errors(report, tmp_path):
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr"]
    command += [f"--user-data-dir={tmp_path}", "--host-resolver-rules=MAP * ~NOTFOUND"]
    address = (report[0] / page.NAME).as_uri()
    done = subprocess.run(
        [*command, "--dump-dom", address], capture_output=True, text=True, timeout=60, check=True
    )
    assert 'id="failures"' in done.stdout
    assert "<script" not in done.stdout
    assert "CONSOLE" not in done.stderr
