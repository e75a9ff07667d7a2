"""OpenGait's checkpoints become runs and come back; what does not fit leaves no trace."""

import json
import logging

import jax
import numpy as np
import pytest
import tiny
from absl.testing import flagsaver

from configs import sconet
from gaitjax import convert, evaluate, trained
from gaitjax.errors import UserError
from gaitjax.interop import files, opengait
from gaitjax.training import checkpoint, loop, restored
from gaitjax.training import experiment as experiments

pytest.importorskip("safetensors")
CLASSES, STEP = 7, 60_000
HEAD = {"BNNecks.fc_bin"}


@pytest.fixture(scope="session")
def tree(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "tree"
    tiny.write_tree(root)
    return root


@pytest.fixture(scope="session")
def theirs(tree):
    """A state_dict as OpenGait would write it, of a narrow GaitBase."""
    model = experiments.build_model(tiny.config(tree, "gaitbase"), {"identity": CLASSES})
    shapes = opengait.shapes("gaitbase", model)
    rng = np.random.default_rng(0)
    drawn = jax.tree.map(lambda x: rng.uniform(0.5, 1.5, x.shape).astype("f4"), shapes)
    return opengait.write("gaitbase", drawn, STEP)


@pytest.fixture
def config(tree):
    return tiny.config(tree, "gaitbase")


@pytest.fixture
def given(theirs, tmp_path):
    """The file that is converted."""
    path = tmp_path / "given.safetensors"
    files.write(path, theirs, STEP)
    return path


def turn(source, target, config=None, without_head=False):
    saved = (
        (convert.SOURCE, str(source)),
        (convert.TARGET, str(target)),
        (convert.WITHOUT_HEAD, without_head),
    )
    with flagsaver.flagsaver(*saved):
        convert.main(config or {})


def check_same(path, theirs):
    found, step = files.read(path)
    assert step == STEP
    assert found.keys() == theirs.keys()
    for name, x in theirs.items():
        np.testing.assert_array_equal(found[name], x)


@pytest.mark.parametrize("suffix", files.SUFFIXES)
def test_there_and_back_again_is_the_same_to_the_bit(
    suffix, given, theirs, config, tmp_path, caplog
):
    if suffix == ".pt":
        pytest.importorskip("torch")
        files.write(given.with_suffix(".pt"), theirs, STEP)
        given = given.with_suffix(".pt")
    caplog.set_level(logging.INFO, "gaitjax")
    turn(given, tmp_path / "run", config)
    assert "the optimizer's state is not carried over" in caplog.text
    turn(tmp_path / "run", tmp_path / f"back{suffix}")
    check_same(tmp_path / f"back{suffix}", theirs)


def test_a_converted_run_tells_of_itself_and_is_scored(given, config, tmp_path):
    turn(given, tmp_path / "run", config)
    found = checkpoint.Found(tmp_path / "run")
    assert found.step == STEP
    assert found.meta["classes"] == {"identity": CLASSES}
    assert experiments.config_of(found.meta).to_dict() == config.to_dict()
    with flagsaver.flagsaver((restored.CHECKPOINT, str(tmp_path / "run"))):
        evaluate.main(config)
    scores = json.loads((tmp_path / f"run/evaluation-{STEP}.json").read_text())["scores"]
    assert 0 <= scores["NM/rank-1"] <= 100


@pytest.mark.parametrize("step", [0, STEP])
def test_training_neither_goes_on_in_a_converted_run_nor_over_it(step, theirs, config, tmp_path):
    files.write(tmp_path / "given.safetensors", theirs, step)
    turn(tmp_path / "given.safetensors", tmp_path / "run", config)
    with pytest.raises(UserError, match="holds a run that differs"):
        loop.train(config, tmp_path / "run", tmp_path)
    assert checkpoint.latest_step(tmp_path / "run") == step


def test_a_head_is_left_out_when_asked(given, theirs, config, tmp_path):
    frames = [np.random.default_rng(n).integers(0, 256, (n, 64, 64), "u1") for n in (3, 5)]
    whole = trained.load(given, config).embed(frames)
    turn(given, tmp_path / "run", config, without_head=True)
    headless = trained.load(tmp_path / "run")
    np.testing.assert_array_equal(headless.embed(frames), whole)
    assert headless.classes == {"identity": 0}
    path = tmp_path / "back.safetensors"
    with pytest.raises(UserError, match=r"run has no head; .* --without_head"):
        turn(tmp_path / "run", path)
    assert not path.exists()
    turn(tmp_path / "run", path, without_head=True)
    check_same(path, {name: x for name, x in theirs.items() if name not in HEAD})
    with pytest.raises(UserError, match=r"safetensors has no head"):
        turn(path, tmp_path / "again", config)
    np.testing.assert_array_equal(trained.load(path, config).embed(frames), whole)


def test_the_classes_of_a_diagnosis_are_found(tmp_path):
    config = sconet.get_config("scoliosis1k")
    config.model.update(backbone=tiny.RESNET, embedding=4)
    model = experiments.build_model(config, {"identity": 0, "diagnosis": 3})
    shapes = opengait.shapes("sconet", model)
    drawn = jax.tree.map(lambda x: np.ones(x.shape, x.dtype), shapes)
    files.write(tmp_path / "x.safetensors", opengait.write("sconet", drawn), 5)
    found = trained.load(tmp_path / "x.safetensors", config)
    assert found.classes == {"identity": 0, "diagnosis": 3}


def faulty(theirs, fault):
    changed = dict(theirs)
    if fault == "missing":
        del changed["FCs.fc_bin"]
    elif fault == "left over":
        changed["Extra.weight"] = np.ones(3, "f4")
    elif fault == "another shape":
        changed["FCs.fc_bin"] = np.ones((16, 5, 5), "f4")
    elif fault == "another head":
        changed["BNNecks.fc_bin"] = np.ones((16, 4), "f4")
    return changed


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ("missing", "- FCs.fc_bin is missing"),
        ("left over", "+ Extra.weight has no place"),
        ("another shape", "! FCs.fc_bin is [16, 5, 5], not [16, 5, 4]"),
        ("another head", "! BNNecks.fc_bin is [16, 4], not [16, 4, 1]"),
    ],
)
def test_what_does_not_fit_is_listed_and_nothing_written(fault, named, theirs, config, tmp_path):
    path = tmp_path / "x.safetensors"
    files.write(path, faulty(theirs, fault), STEP)
    with pytest.raises(UserError) as error:
        turn(path, tmp_path / "run", config)
    assert str(path) in str(error.value)
    assert named in str(error.value)
    assert not (tmp_path / "run").exists()


def test_another_network_is_refused(given, tree, tmp_path):
    with pytest.raises(UserError, match=r"not one of GaitSet: - .*\+ BNNecks.bn1d.bias has no"):
        turn(given, tmp_path / "run", tiny.config(tree, "gaitset"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", [b"", b"a text file\n"])
def test_a_file_that_is_something_else_leaves_nothing(content, config, tmp_path):
    (tmp_path / "x.safetensors").write_bytes(content)
    for target in ("run", "y.safetensors"):
        with pytest.raises(UserError, match=r"x\.safetensors is broken"):
            turn(tmp_path / "x.safetensors", tmp_path / target, config)
    assert [p.name for p in tmp_path.iterdir()] == ["x.safetensors"]


def test_nothing_is_overwritten(given, config, tmp_path):
    turn(given, tmp_path / "run", config)
    with pytest.raises(UserError, match="checkpoints exists already"):
        turn(given, tmp_path / "run", config)
    with pytest.raises(UserError, match=r"given\.safetensors exists already"):
        turn(tmp_path / "run", given)


def test_what_is_missing_is_asked_for(given, config, tmp_path):
    for arguments, named in (
        (("", tmp_path / "run", config), "give --from and --to"),
        ((given, "", config), "give --from and --to"),
        ((given, tmp_path / "run"), "has no config"),
        ((tmp_path / "nowhere", tmp_path / "run"), "no checkpoint in"),
        ((given, "/proc/run", config), "/proc/run cannot be written to"),
    ):
        with pytest.raises(UserError, match=named):
            turn(*arguments)
    assert [p.name for p in tmp_path.iterdir()] == ["given.safetensors"]
