"""The report shows what was scored, trusts no name, and opens offline in a real browser."""

import base64
import dataclasses
import html.parser
import shutil
import subprocess
import tomllib
from pathlib import Path

import cv2
import numpy as np
import pytest
from matplotlib import font_manager

import gaitjax
from gaitjax.datasets import Protocol
from gaitjax.errors import UserError
from gaitjax.evaluation import page, protocols
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.evaluation.page import commit, pictures, ranks, text

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
        return {"silhouette": np.full((5, 64, 64), 20 * row, np.uint8)}


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
    shown = (report[0] / page.NAME).read_text()
    parser = Nesting()
    parser.feed(shown)
    assert parser.open == []
    tags = {tag for tag, _ in parser.tags}
    assert not tags & {"script", "link", "iframe"}
    images = [attributes for tag, attributes in parser.tags if tag == "img"]
    assert images
    assert all(a["src"].startswith("data:image/") and a["alt"] for a in images)
    assert all("scope" in a for tag, a in parser.tags if tag == "th")


def test_the_page_holds_every_score(report):
    shown = (report[0] / page.NAME).read_text()
    for value in report[1].scores.values():
        assert f"<td>{value:.2f}</td>" in shown
    assert '<th scope="col">EER</th>' in shown
    assert {p.name for p in report[0].iterdir()} == {
        page.NAME,
        *(
            f"{n}.{e}"
            for n in ("cmc", "det", "map", "probe_views", "views")
            for e in ("png", "svg")
        ),
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


def test_one_condition_is_its_own_mean(report, tmp_path):
    _, _, embeddings, _ = report
    protocol = Protocol(("g",), {"P": ("p",)}, "single", "view")
    names = embeddings.identities, embeddings.types, embeddings.views
    result = protocols.evaluate(protocol, embeddings.embeddings, *names, "euclidean")
    page.write(tmp_path, result, protocol, embeddings, None)
    shown = (tmp_path / page.NAME).read_text()
    assert shown.count("rank-1, percent") == 1
    assert 'class="mean"' not in shown


def test_pictures_are_means_and_frames_cut_as_networks_read_them(report):
    shown = pictures.pictures(report[3], 3)
    for uri, width in ((shown.energy, 44), (shown.frames, 4 * 44)):
        data = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
        assert image.shape == (64, width)
        assert (image == 60).all()


def test_a_font_is_chosen_for_every_character_that_one_has(monkeypatch):
    own = [e for e in font_manager.fontManager.ttflist if e.name == "DejaVu Sans"]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    assert text.families(["nm-01", "…"]) == (["DejaVu Sans"], "")
    assert text.families(["nm-01", "张三"]) == (["DejaVu Sans"], "三张")


def test_the_commit_is_that_of_the_file(tmp_path):
    file = tmp_path / "package" / "__init__.py"
    file.parent.mkdir()
    file.write_text("")
    assert commit.of(str(file)) == commit.UNKNOWN  # nothing is tracked
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a@b commit -qm one"):
        subprocess.run(["git", "-C", tmp_path, *command.split()], check=True)
    head = subprocess.check_output(["git", "-C", tmp_path, "rev-parse", "HEAD"], text=True).strip()
    assert commit.of(str(file)) == head
    file.write_text("changed")
    assert commit.of(str(file)) == f"{head}, changed since"


def test_a_wheel_holds_the_template():
    root = Path(gaitjax.__file__).parent
    project = tomllib.loads((root.parent / "pyproject.toml").read_text())
    packed = project["tool"]["setuptools"]["package-data"]["gaitjax.evaluation.page"]
    folder = root / "evaluation" / "page"
    assert {p.name for p in folder.iterdir() if p.is_file()} - set(packed) == {
        p.name for p in folder.glob("*.py")
    }


@pytest.mark.parametrize(
    ("galleries", "exclude", "average", "unmatched"),
    [
        ("single", "view", "probes", "skip"),
        ("single", "none", "probes", "skip"),
        ("all", "view", "probes", "skip"),
        ("all", "none", "views", "miss"),
    ],
)
def test_curves_are_the_scores(galleries, exclude, average, unmatched):
    how = {"average": average, "unmatched": unmatched, "viewpoint": "(.)$"}
    protocol = Protocol(("g",), {"P": ("p",), "Q": ("[qp]",)}, galleries, exclude, **how)
    rng = np.random.default_rng(0)
    rows = [rng.choice(list(x), 60) for x in ("abcdefg", "gpq", ("x0", "y1", "z1"))]
    rows[1][rows[0] == "g"] = "p"  # has no mate
    values = rng.normal(size=(60, 2, 3)).astype(np.float32)
    result = protocols.evaluate(protocol, values, *(x.tolist() for x in rows), "cosine")
    found = ranks.searches(protocol, Embeddings(values, {}, *rows, {}), "cosine")
    for condition, searches in found.items():
        curve = ranks.cumulative_matches(searches, 10)
        for k in protocol.ranks:
            assert curve[k - 1] == pytest.approx(result.scores[f"{condition}/rank-{k}"], abs=0.01)


@pytest.mark.parametrize("galleries", ["single", "all"])
def test_rank_lists_are_those_of_a_loop(report, galleries):
    _, _, embeddings, _ = report
    protocol = dataclasses.replace(PROTOCOL, gallery_views=galleries)
    x, identities, views = embeddings.embeddings, embeddings.identities, embeddings.views
    for searches in ranks.searches(protocol, embeddings, "euclidean").values():
        chosen = ranks.hardest(searches, 9) + ranks.successes(searches, 9, 0)
        assert chosen
        lists = ranks.rank_lists(protocol, searches, chosen, "euclidean")
        for (probe, gallery), found in zip(chosen, lists, strict=True):
            rows = [r for r in searches.gallery.row if views[r] == found.gallery]
            if galleries == "all":
                own = identities[found.probe], views[found.probe]
                rows = [r for r in searches.gallery.row if (identities[r], views[r]) != own]
            away = {r: np.linalg.norm(x[found.probe] - x[r], axis=1).mean() for r in rows}
            ranked = sorted(rows, key=away.get)
            assert [e.row for e in found.nearest] == ranked[: ranks.SHOWN]
            assert found.position == searches.first[probe, gallery] + 1
            assert found.mate.row == ranked[found.position - 1]
            assert found.size == len(rows)


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
