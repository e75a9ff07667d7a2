"""The READMEs tell the truth: their commands run (in miniature), their examples work."""

import os
import pkgutil
import re
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

import gaitjax.datasets
import gaitjax.losses
import gaitjax.models
from configs import common, gaitbase, gaitset
from gaitjax import pickles
from gaitjax.data import augment, transforms
from gaitjax.training import optim
from tests.datasets.raw import casia_b

ROOT = Path(__file__).parents[1]
FOLDERS = ("configs", "gaitjax", "scripts")
READMES = [
    ROOT / "README.md",
    *(p for f in FOLDERS for p in sorted(ROOT.glob(f"{f}/**/README.md"))),
]
TEXTS = {str(path.relative_to(ROOT)): path.read_text() for path in READMES}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())

FIRST = "python -m gaitjax.train --config configs/gaitset.py"
PREPARE = "python -m gaitjax.prepare casia_b --input=/data/CASIA-B --output=/data/CASIA-B-tree"
EXPORT = "python -m gaitjax.convert --from runs/gaitset-synthetic --to gaitset.pt"
WALKS = "runs/gaitset-synthetic/walks"
MADE_BY = {  # what a command needs, if nobody made it before
    WALKS: "python -m gaitjax.embed --config configs/gaitset.py --workdir runs/gaitset-synthetic "
    f"--output {WALKS}",
    "runs/gaitset-synthetic/evaluation-walks.json": "python -m gaitjax.evaluate "
    f"--config configs/gaitset.py --embeddings {WALKS}",
}
SMALL = (
    "--config.data.sampler.identities=2",
    "--config.data.sampler.sequences=2",
    "--config.data.frames.number=3",
    "--config.train.steps=2",
)
SMALL_WALKERS = (
    "--config.data.options.train_identities=4",
    "--config.data.options.test_identities=2",
    "--config.data.options.types=('nm-01', 'nm-05', 'bg-01', 'cl-01')",
    "--config.data.options.views=('000', '090')",
    "--config.data.options.frames=(4, 6)",
)
SMALL_NETWORKS = {
    "configs/gaitset.py": ("--config.model.channels=(2, 3, 4)", "--config.model.embedding=4"),
    "configs/gaitbase.py": (
        "--config.model.backbone.channels=(2, 3, 4, 4)",
        "--config.model.embedding=4",
    ),
    "mylab/config.py": (),
    "mylab/walks.py": ("--config.model.channels=(2, 3, 4)", "--config.model.embedding=4"),
}


def commands():
    """Every command of every ```bash block, once."""
    for text in TEXTS.values():
        for block in re.findall(r"```bash\n(.*?)```", text, re.DOTALL):
            yield from block.replace("\\\n", " ").strip().splitlines()


RUN = [c for c in dict.fromkeys(commands()) if c.startswith(("python -m gaitjax.", "sbatch "))]
OTHERS = [c for c in dict.fromkeys(commands()) if c not in RUN]


def run(clone, words):
    """Runs a command of the package from the root of the clone, in miniature."""
    small = []
    if "--config" in words:
        config, _, dataset = words[words.index("--config") + 1].partition(":")
        small = [*SMALL, *SMALL_NETWORKS[config]]
    if small and dataset in ("", "synthetic") and config != "mylab/walks.py":
        small += SMALL_WALKERS
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    replaced = {
        "=10.0.0.1:9000": f"=127.0.0.1:{port}",
        "--processes=2": "--processes=1",
    }
    for old, new in replaced.items():
        words = [word.replace(old, new) for word in words]
    words = [re.sub("(^|=)/data", rf"\1{clone}/data", word) for word in words]
    environment = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    done = subprocess.run(
        [sys.executable, *words[1:], *small],
        cwd=clone,
        env=environment | {"XDG_CACHE_HOME": str(clone / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr + done.stdout


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A copy of the repository, with the files that the READMEs say to write."""
    clone = tmp_path_factory.mktemp("clone")
    for folder in FOLDERS:
        shutil.copytree(ROOT / folder, clone / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for text in TEXTS.values():
        for name, content in re.findall(r"`(mylab/[^`]+)`[^`]*:\n\n```\w+\n(.*?)```", text, re.S):
            (clone / name).parent.mkdir(exist_ok=True)
            (clone / name).write_text(content)
    return clone


@pytest.fixture(scope="module")
def log(clone):
    """What the first command says; it leaves a run and walkers for the others."""
    return run(clone, shlex.split(FIRST))


@pytest.fixture(scope="module")
def data(clone, log):
    """The walkers as data of one's own, and as CASIA-B, which lies beside its raw files."""
    casia_b.make_casia_b(clone / "data/CASIA-B")
    (walkers,) = (clone / "cache/gaitjax").iterdir()
    for name in ("mine", "CASIA-B-pkl"):
        ignored = shutil.ignore_patterns("pose.pkl", "*.json")
        shutil.copytree(walkers, clone / "data" / name, ignore=ignored)
    for old, new in {"005": "075", "006": "076"}.items():
        (clone / "data/CASIA-B-pkl" / old).rename(clone / "data/CASIA-B-pkl" / new)


def test_first_command_trains_and_scores(clone, log):
    assert FIRST in TEXTS["README.md"].splitlines()
    for line in (
        "trained",
        "untrained network",
        "energy image",
        "finished: runs/gaitset-synthetic",
    ):
        assert line in log
    made = {path.name for path in (clone / "runs/gaitset-synthetic").iterdir()}
    assert {"checkpoints", "scalars.jsonl", "evaluation-2.json", "evaluation-2.csv"} <= made


@pytest.mark.slow
@pytest.mark.parametrize("command", [c for c in RUN if c != FIRST])
def test_command_runs(command, clone, data):
    words = shlex.split(command)
    if words[0] == "sbatch":
        script = words.index("scripts/slurm.sh")
        subprocess.run(["bash", "-n", ROOT / words[script]], check=True)
        words = ["python", "-m", "gaitjax.train", *words[script + 1 :]]
        words[words.index("--workdir") + 1] += "-slurm"
    if "gaitset.pt" in words:
        pytest.importorskip("torch")
        if command != EXPORT and not (clone / "gaitset.pt").exists():
            run(clone, shlex.split(EXPORT))
    prepared = clone / "data/CASIA-B-tree"
    if words[2] == "gaitjax.prepare" and command != PREPARE and not prepared.exists():
        run(clone, shlex.split(PREPARE))
    if "--output" not in words:
        for made, by in MADE_BY.items():
            if (made in words or "gaitjax.compare" in words) and not (clone / made).exists():
                run(clone, shlex.split(by))
    said = run(clone, words)
    assert re.search("condition|bootstrap|is finished|written to|multiply-adds|fingerprint", said)


@pytest.mark.slow
def test_python_embeds(clone, data, monkeypatch):
    (block,) = re.findall(r"```python\n([^`]*gaitjax.load.*?)```", TEXTS["README.md"], re.DOTALL)
    monkeypatch.chdir(clone)
    found = {}
    exec(block.replace("/data", f"{clone}/data"), found)
    assert found["embeddings"].shape == (len(found["walks"]), 62, 4)
    assert len(found["walks"])


@pytest.mark.parametrize("command", OTHERS)
def test_other_command_asks_for_what_exists(command):
    match shlex.split(command):
        case ["pip", "install", what]:
            extra = re.fullmatch(r"\.\[(\w+)\]", what)
            assert extra
            assert extra[1] in PROJECT["project"]["optional-dependencies"]
        case ["pytest", "-m", expression]:
            markers = [m.split(":")[0] for m in PROJECT["tool"]["pytest"]["ini_options"]["markers"]]
            assert set(expression.split()) - {"not", "and", "or"} <= set(markers)
        case _:
            pytest.fail(f"nothing checks this command: {command}")


@pytest.mark.parametrize(
    ("readme", "example"),
    [("models", "example_network.py"), ("datasets", "example_dataset.py")],
)
def test_readme_shows_the_example(readme, example):
    assert (
        f"```python\n{(ROOT / 'tests' / example).read_text()}```"
        in (TEXTS[f"gaitjax/{readme}/README.md"])
    )


def test_masks_become_a_sequence(tmp_path):
    (block,) = re.findall(r"```python\n([^`]*def save.*?)```", TEXTS["README.md"], re.DOTALL)
    found = {}
    exec(block, found)
    mask = np.zeros((90, 120), np.uint8)
    mask[10:80, 50:70] = 255
    found["save"]([mask, np.zeros_like(mask), mask], tmp_path / "anna/walk-1/090")
    frames = pickles.read(tmp_path / "anna/walk-1/090/silhouette.pkl")
    assert frames.dtype == np.uint8
    assert frames.shape == (2, 64, 64)


def leaves(tree, prefix=""):
    for name, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def test_every_field_is_described():
    text = TEXTS["configs/README.md"]
    for path in leaves(common.base("synthetic").to_dict()):
        name = path.rpartition(".")[2]
        assert f"`{path}`" in text or re.search(rf'[`"]{name}[`"]', text), path


NO_DATASETS = {"depth_image", "normalise", "openpose", "readers"}


def files_of(package):
    return {module.name for module in pkgutil.iter_modules(package.__path__)}


@pytest.mark.parametrize(
    ("readme", "names"),
    [
        ("configs", {*augment.DRAWN, *augment.FIXED, *augment.RANDOM, *transforms.HOST}),
        ("configs", {*optim.OPTIMIZERS, *optim.SCHEDULES}),
        ("configs", files_of(gaitjax.losses)),
        ("gaitjax/datasets", files_of(gaitjax.datasets) - NO_DATASETS),
    ],
)
def test_every_name_is_listed(readme, names):
    text = TEXTS[f"{readme}/README.md"]
    assert [name for name in sorted(names) if not re.search(rf'[`"]{name}[`"]', text)] == []


def test_datasets_of_the_configs_are_listed():
    for config in (gaitset, gaitbase):
        line = f"| `{config.__name__.partition('.')[2]}.py` | {', '.join(config.SETTINGS)} |"
        assert line in TEXTS["configs/README.md"]


def test_links_lead_somewhere():
    for name, text in TEXTS.items():
        for target in re.findall(r"\]\(([^)#:]+)\)", text):
            assert ((ROOT / name).parent / target).exists(), f"{name}: {target}"
