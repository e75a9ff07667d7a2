"""What a person can get wrong ends in one line that names it, and leaves nothing behind."""

import itertools
import json
import logging
import os
import pickle
import shutil
import sys
from pathlib import Path

import jax
import numpy as np
import pytest
import tiny
from absl import flags

from gaitjax import command, embed, evaluate, train
from gaitjax.evaluation import embeddings, page, parts
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.training import checkpoint

# ml_collections loads a config so.
pytestmark = pytest.mark.filterwarnings(r"ignore:the load_module\(\) method:DeprecationWarning")


@pytest.fixture(scope="session")
def tree(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("data") / "tree"
    tiny.write_tree(root)
    return root


@pytest.fixture(scope="session")
def trained(tree, tmp_path_factory) -> Path:
    """The folder of a run that is finished."""
    workdir = tmp_path_factory.mktemp("runs") / "trained"
    told = tiny.finish(tiny.start("train", [*tiny.options(tree), f"--workdir={workdir}"]))[0]
    assert f"finished: {workdir} is at step 4" in told
    return workdir


@pytest.fixture
def call(monkeypatch):
    """Runs a command in this process; returns what it exits with, None if it ends well."""
    root, before = logging.getLogger(), jax.config.read("jax_disable_most_optimizations")
    handlers, level = root.handlers[:], root.level
    jax.config.update("jax_disable_most_optimizations", True)

    def run(module, *arguments: object):
        monkeypatch.setattr(sys, "argv", [module.__name__, *map(str, arguments)])
        monkeypatch.setattr(sys, "path", sys.path[:])
        forget_flags()
        root.handlers = []
        try:
            command.run(module.main)
        except SystemExit as end:
            return end.code
        return None

    yield run
    forget_flags()
    flags.FLAGS.mark_as_parsed()
    root.handlers, root.level = handlers, level
    jax.config.update("jax_disable_most_optimizations", before)


def forget_flags() -> None:
    flags.FLAGS.unparse_flags()
    for name in list(flags.FLAGS):
        if name.startswith("config."):
            delattr(flags.FLAGS, name)
        else:
            flags.FLAGS[name].unparse()


def check_refused(code: object, *named: str) -> None:
    """`sys.exit(text)` prints the text and exits with 1."""
    assert isinstance(code, str)
    assert code.startswith("error: ")
    assert "\n" not in code
    for name in named:
        assert name in code


OVERRIDES = {
    "misspelt field": ({"train__stepz": 3}, ["stepz"]),
    "misspelt group": ({"trian__steps": 3}, ["trian"]),
    "wrong type": ({"train__steps": "many"}, ["train.steps", "many"]),
    "text for a tuple": ({"schedule__milestones": "early"}, ["schedule.milestones"]),
    "missing root": ({"data__root": "/nowhere/at/all"}, ["/nowhere/at/all"]),
    "no root": ({"data__root": ""}, ["config.data.root"]),
    "missing partition": ({"data__partition": "/nowhere.json"}, ["/nowhere.json"]),
    "no partition": ({"data__partition": ""}, ["config.data.partition"]),
    "too many identities": ({"data__sampler__identities": 8}, ["identities is 8", "4"]),
    "no sequences": ({"data__sampler__sequences": 0}, ["config.data.sampler"]),
    "indivisible batch": ({"data__sampler__identities": 3}, ["batch of 6", "8 devices"]),
    "no steps": ({"train__steps": 0}, ["config.train.steps is 0"]),
    "negative seed": ({"seed": -1}, ["config.seed is -1"]),
    "unknown network": ({"network": "gaitzet"}, ["gaitzet", "gaitset", "gaitbase"]),
    "unknown dataset": ({"data__dataset": "casia_z"}, ["casia_z", "casia_b"]),
    "unknown modality": ({"data__modalities": ("sound",)}, ["'sound'", "silhouette"]),
    "unknown loss": ({"losses__triplet__type": "quadruplet"}, ["quadruplet", "triplet"]),
    "unknown optimizer": ({"optimizer__type": "lion"}, ["'lion'", "sgd", "adam"]),
    "unknown schedule": ({"schedule__type": "sine"}, ["'sine'", "multistep"]),
    "unknown dtype": ({"dtype": "float23"}, ["dtype", "float23"]),
    "unknown sampling": ({"data__frames__sampling": "some"}, ["sampling", "some"]),
    "unknown metric": ({"evaluation__metric": "taxicab"}, ["metric", "taxicab"]),
    "no such gallery": ({"evaluation__protocol__gallery": ("cl-*",)}, ["cl-*"]),
}


@pytest.mark.parametrize("case", OVERRIDES)
def test_wrong_overrides_are_refused(case, call, tree, tmp_path):
    overrides, named = OVERRIDES[case]
    workdir = tmp_path / "run"
    code = call(train, *tiny.options(tree, **overrides), f"--workdir={workdir}")
    check_refused(code, *named)
    assert not workdir.exists()


def test_unknown_transform_is_refused(call, tree, tmp_path):
    transforms = ({"type": "silhouette_cat"},)
    options = tiny.options(tree, data__transforms__silhouette=transforms)
    check_refused(call(train, *options, f"--workdir={tmp_path / 'run'}"), "silhouette_cat")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "no config given"),
        (["--config", "configs/nothing.py"], "configs/nothing.py"),
        (["--config", f"{tiny.REPOSITORY}/configs/gaitset.py:casia_z"], "casia_z"),
        (["--config", f"{tiny.REPOSITORY}/configs/gaitset.py", "surplus"], "'surplus'"),
        (["--config", f"{tiny.REPOSITORY}/configs/gaitset.py", "--workdirr=x"], "workdirr"),
        (["--config"], "config"),
    ],
)
def test_wrong_arguments_are_refused(call, arguments, named):
    check_refused(call(train, *arguments), named)


class Payload:
    def __init__(self, witness: Path) -> None:
        self.witness = witness

    def __reduce__(self):
        return os.system, (f"touch {self.witness}",)


@pytest.mark.parametrize("what", ["payload", "truncated", "no frames", "empty root"])
def test_broken_data_are_refused(what, call, tree, tmp_path):
    root, workdir, witness = tmp_path / "tree", tmp_path / "run", tmp_path / "witness"
    shutil.copytree(tree, root)
    shutil.copy(tree.with_suffix(".json"), root.with_suffix(".json"))
    broken = root / "001/nm-02/090/090.pkl"
    if what == "payload":
        broken.write_bytes(pickle.dumps(Payload(witness)))
    elif what == "truncated":
        broken.write_bytes(broken.read_bytes()[:-1000])
    elif what == "no frames":
        broken.write_bytes(pickle.dumps(np.zeros((0, 64, 64), np.uint8)))
    else:
        shutil.rmtree(root)
        root.mkdir()
    code = call(train, *tiny.options(root), f"--workdir={workdir}")
    check_refused(code, str(root if what == "empty root" else broken))
    assert not workdir.exists()
    assert not witness.exists()


@pytest.mark.parametrize("below", ["a file", "/proc"])
def test_a_workdir_that_cannot_be_made_is_refused(below, call, tree, tmp_path):
    if below == "a file":
        (tmp_path / "file").write_text("")
        workdir = tmp_path / "file" / "run"
    else:
        workdir = Path("/proc/run")
    check_refused(call(train, *tiny.options(tree), f"--workdir={workdir}"), str(workdir))


def test_a_workdir_of_another_model_is_refused(call, tree, trained):
    code = call(train, *tiny.options(tree, model__embedding=5), f"--workdir={trained}")
    check_refused(code, str(trained), "config.model.embedding: 4 there, 5 now")


def test_a_finished_run_stays_as_it_is(call, tree, trained, capsys):
    assert call(train, *tiny.options(tree), f"--workdir={trained}") is None
    assert f"{trained} is finished: it is at step 4 of 4" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_stops_the_run(call, tree, tmp_path):
    workdir = tmp_path / "run"
    options = tiny.options(
        tree, optimizer__learning_rate=1e30, train__checkpoint_every=1, train__steps=50
    )
    code = call(train, *options, f"--workdir={workdir}")
    kept = list(workdir.glob("nonfinite-step-*-process-0.npz"))
    assert len(kept) == 1
    step = int(kept[0].name.split("-")[2])
    check_refused(code, f"the loss of step {step} is not finite", str(kept[0]), "learning_rate")
    with np.load(kept[0], allow_pickle=False) as batch:
        assert batch["inputs/silhouette"].shape == (8, 4, 64, 64)
        assert batch["labels/identity"].shape == batch["lengths"].shape == (8,)
    assert checkpoint.latest_step(workdir) == step
    last = tiny.saved(workdir, step)
    assert all(np.isfinite(x).all() for x in last.values())


@pytest.mark.slow
@pytest.mark.parametrize("small_disk", ["400k"], indirect=True)
def test_a_full_disk_is_named_and_tears_nothing(call, tree, small_disk):
    workdir = small_disk / "run"
    options = tiny.options(tree, train__steps=100, train__checkpoint_every=1, train__keep=99)
    code = call(train, *options, f"--workdir={workdir}")
    check_refused(code, str(workdir), "space")
    step = checkpoint.latest_step(workdir)
    assert step > 0
    assert int(tiny.saved(workdir, step)["step"]) == step


def test_a_checkpoint_is_scored(call, tree, trained, tmp_path, capsys):
    written = trained / "evaluation-4.json"
    during = json.loads(written.read_text())["scores"]
    options = [*tiny.options(tree), f"--workdir={trained}", f"--report={tmp_path / 'report'}"]
    assert call(evaluate, *options) is None
    assert "Four frames of" in (tmp_path / "report" / page.NAME).read_text()
    assert json.loads(written.read_text())["scores"] == during
    assert f"written to {written}" in capsys.readouterr().err.replace(".json and", ".json\nand")


def test_a_checkpoint_is_scored_on_another_dataset(call, tree, trained, capsys):
    options = tiny.options(tree, data__dataset="casia_b", model__embedding=9)
    assert call(evaluate, *options, f"--checkpoint={trained}") is None
    assert "trained on folder, tested on casia_b" in capsys.readouterr().err
    scores = json.loads((trained / "evaluation-4-casia_b.json").read_text())["scores"]
    assert 0 <= scores["NM/rank-1"] <= 100


@pytest.fixture(scope="session")
def walks(tree, trained, tmp_path_factory) -> Path:
    """A file of embeddings that the finished run made."""
    path = tmp_path_factory.mktemp("embeddings") / "walks"
    options = [*tiny.options(tree), f"--workdir={trained}", f"--output={path}"]
    tiny.finish(tiny.start("embed", options))
    return path


def test_a_file_of_embeddings_is_scored_as_the_checkpoint(call, tree, trained, walks, capsys):
    assert call(evaluate, *tiny.options(tree), f"--workdir={trained}") is None
    options = tiny.options(Path("/nowhere"), network="none", model__embedding=9)
    assert call(evaluate, *options, f"--embeddings={walks}") is None
    assert f"{walks}: 12 sequences, network gaitset, step 4" in capsys.readouterr().err
    found = json.loads(walks.with_name("evaluation-walks.json").read_text())
    wanted = json.loads((trained / "evaluation-4.json").read_text())
    assert found == wanted
    assert {"network", "dataset", "step", "weights", "data", "config"} <= found.keys()


@pytest.mark.parametrize("at_hand", [True, False])
def test_a_report_of_a_file_shows_frames_where_the_data_are(call, tree, walks, tmp_path, at_hand):
    options = tiny.options(tree) if at_hand else tiny.options(tree, data__root="")
    assert call(evaluate, *options, f"--embeddings={walks}", f"--report={tmp_path}") is None
    assert ("Four frames of" in (tmp_path / page.NAME).read_text()) == at_hand


def test_a_report_that_cannot_be_written_is_refused_at_once(call, tree, trained, tmp_path):
    (tmp_path / "file").touch()
    options = [*tiny.options(tree), f"--workdir={trained}", f"--report={tmp_path / 'file' / 'x'}"]
    check_refused(call(evaluate, *options), f"{tmp_path / 'file' / 'x'}")


@pytest.mark.parametrize(
    ("lists", "refused"),
    [({"PROBES": ["005-nm-02-000"]}, ""), ({"PROBES": [3]}, "walks"), ([1], "walks")],
)
def test_a_file_keeps_the_lists_of_the_partition(call, walks, tmp_path, lists, refused):
    found = embeddings.read(walks)
    facts = {**found.facts, "lists": lists}
    embeddings.write(tmp_path / "walks", found._replace(facts=facts))
    options = tiny.options(
        Path("/nowhere"),
        evaluation__protocol__match="{identity}-{type}-{view}",
        evaluation__protocol__gallery=("*-nm-01-*",),
        evaluation__protocol__probes=("listed={PROBES}",),
    )
    code = call(evaluate, *options, f"--embeddings={tmp_path / 'walks'}")
    if refused:
        check_refused(code, str(tmp_path / refused))
    else:
        written = json.loads((tmp_path / "evaluation-walks.json").read_text())
        assert written["probes"] == {"listed": 1}
        assert "lists" not in written


def test_a_submission_is_written_instead_of_scores(call, tree, tmp_path):
    places = np.array([0, 4, 1, 5], np.float32)[:, None, None]
    names = (["probe", "00000", "00001", "00001"], ["default"] * 4, ["01002", "a", "b", "c"])
    walks, file = tmp_path / "walks", tmp_path / "new" / "phase1.csv"
    made = Embeddings(places, {}, *map(np.array, names), {"dataset": "hid"})
    embeddings.write(walks, made)
    options = [*tiny.options(tree, data__dataset="hid"), f"--embeddings={walks}"]
    assert call(evaluate, *options, f"--submission={file}") is None
    assert file.read_text() == "videoID,label\n01002,00001\n"
    assert {path.name for path in tmp_path.iterdir()} == {"walks", "new"}
    (tmp_path / "file").touch()
    check_refused(call(evaluate, *options, f"--submission={tmp_path}/file/x"), "file")
    options = [*tiny.options(tree), f"--embeddings={walks}", f"--submission={file}"]
    check_refused(call(evaluate, *options), "submission of own data")


def test_embeddings_of_another_dataset_are_refused(call, tree, walks):
    options = tiny.options(tree, data__dataset="casia_b")
    check_refused(call(evaluate, *options, f"--embeddings={walks}"), "of folder", "of casia_b")


def test_an_extraction_goes_on_where_it_was_killed(call, tree, trained, walks, monkeypatch):
    path, options = walks.with_name("again"), tiny.options(tree, evaluation__batch=8)
    arguments = [*options, f"--workdir={trained}", f"--output={path}"]
    assert call(embed, *arguments) is None
    unbroken = path.read_bytes()
    path.unlink()
    add, kept = parts.Part.add, []

    def die(part, rows, embedded):
        if kept:
            raise KeyboardInterrupt
        kept.append(rows.tolist())
        add(part, rows, embedded)

    monkeypatch.setattr(parts.Part, "add", die)
    assert call(embed, *arguments) == 130
    assert [x.name for x in parts.of(path)] == ["again.part-0"]
    other = [*options, "--config.data.frames.limit=5", *arguments[-2:]]
    check_refused(call(embed, *other), "again.part-0", "limit 720 there, 5 now")
    monkeypatch.setattr(parts.Part, "add", lambda *x: (kept.append(x[1].tolist()), add(*x)))
    assert call(embed, *arguments) is None
    assert sorted(itertools.chain(*kept)) == list(range(12))
    assert path.read_bytes() == unbroken
    assert not parts.of(path)


def test_a_finished_extraction_stays_as_it_is(call, tree, trained, walks, capsys):
    before = walks.read_bytes()
    arguments = [f"--workdir={trained}", f"--output={walks}"]
    assert call(embed, *tiny.options(tree), *arguments) is None
    assert f"{walks} is finished" in capsys.readouterr().err
    check_refused(call(embed, *tiny.options(tree, data__frames__limit=5), *arguments), str(walks))
    assert walks.read_bytes() == before
    assert embeddings.read(walks).embeddings.shape == (12, 62, 4)


def test_embedding_without_a_checkpoint_or_file_is_refused(call, tree, trained):
    for given in (f"--workdir={trained}", "--output=/nowhere"):
        check_refused(call(embed, *tiny.options(tree), given), "--checkpoint", "--output")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ([], "--checkpoint"),
        (["--checkpoint=/nowhere"], "no checkpoint in /nowhere"),
        (["--checkpoint=/nowhere", "--embeddings=/nowhere"], "give --workdir"),
        (["--embeddings=/nowhere/walks"], "/nowhere/walks cannot be read"),
    ],
)
def test_evaluation_without_a_checkpoint_is_refused(call, tree, arguments, named):
    check_refused(call(evaluate, *tiny.options(tree), *arguments), named)


def test_an_error_is_one_line_of_the_process(tree, tmp_path):
    """What the calls above stand for, as a person sees it."""
    starts = [
        tiny.start("train", [*tiny.options(tree, **overrides), f"--workdir={tmp_path / 'run'}"])
        for overrides in ({"data__sampler__identities": 9}, {"train__stepz": 3})
    ]
    for process, named in zip(starts, ("identities is 9", "stepz"), strict=True):
        told = process.communicate(timeout=120)[1].splitlines()
        assert process.returncode == 1
        assert len(told) == 1
        assert told[0].startswith("error: ")
        assert named in told[0]
    assert not (tmp_path / "run").exists()
