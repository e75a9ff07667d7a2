"""What the golden checks promise of folders that they have never seen."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gaitjax.losses import triplet
from gaitjax.models import gaitset
from scripts import check_golden
from scripts.golden import networks, tolerance
from scripts.golden.rule import RULE

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "golden"


class Folder:
    """A folder of cases taken from tests/golden, to be changed and checked."""

    def __init__(self, path, capsys):
        self.path, self.capsys = path, capsys

    def take(self, name):
        for path in GOLDEN.glob(f"{name}.*"):
            shutil.copy(path, self.path)

    def edit(self, name, change):
        path = self.path / f"{name}.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    def edit_array(self, name, key, change):
        with np.load(self.path / f"{name}.npz") as archive:
            arrays = dict(archive)
        arrays[key] = change(arrays[key])
        np.savez(self.path / f"{name}.npz", **arrays)

    def check(self, only=""):
        """Exit code, and the lines by the name of their case."""
        code = check_golden.main([str(self.path), "--only", only])
        lines = self.capsys.readouterr().out.splitlines()
        assert all("Traceback" not in line for line in lines)
        return code, {line.split()[0]: line for line in lines}

    def check_one(self, only=""):
        code, lines = self.check(only)
        (line,) = lines.values()
        return code, line


@pytest.fixture
def folder(tmp_path, capsys):
    return Folder(tmp_path, capsys)


def test_a_case_that_passes(folder):
    folder.take("gaitset_eval_seql")
    code, line = folder.check_one()
    assert code == 0
    assert line.startswith("gaitset_eval_seql  ")
    assert line.endswith("  pass")
    assert "of 1.0e-04" in line


def scale(container, key, factor=1.001):
    container[key] *= factor


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("gaitbase_ccpg.manifest", lambda c: scale(c, "parameters", 2)),
        ("gaitbase_ccpg.manifest", lambda c: c["state_dict"].pop()),
        ("gaitbase_ccpg.manifest", lambda c: c["state_dict"][0].__setitem__(1, [64, 1, 3, 5])),
        ("losses", lambda c: scale(c["cases"]["ce_default"], "loss_mean")),
        ("losses", lambda c: scale(c["cases"]["triplet_plain"]["info"]["hard_loss"], 1)),
        ("losses", lambda c: scale(c["cases"]["triplet_all_single"]["info"]["hard_loss"], 1)),
        ("optim", lambda c: scale(c["schedules"][0]["lr"], -1)),
        ("optim", lambda c: scale(c["schedules"][0]["momentum_or_beta1"], 3)),
        ("optim", lambda c: scale(c["quadratic"][1]["params"][19], 2)),
        ("optim", lambda c: scale(c["together"][0]["params"][0], 0)),
        (
            "eval_single_view_CASIA-B",
            lambda c: scale(c["variants"]["cos"]["result"], "scalar/test_accuracy/BG@R1", 1.0001),
        ),
        (
            "eval_single_view_CASIA-B",
            lambda c: c["variants"]["euc"]["log"].__setitem__(1, "NM@R1: [72.22 88.89 72.22 88.9]"),
        ),
    ],
)
def test_a_tampered_number_fails(folder, name, change):
    folder.take(name)
    folder.edit(name, change)
    code, lines = folder.check()
    assert code == 1
    assert sum(line.endswith("  fail") for line in lines.values()) == 1


def test_a_step_fails_by_all_its_tampered_numbers():
    case = json.loads((GOLDEN / "gaitset_train.json").read_text())
    scale(case["losses"], "loss_sum")
    scale(case["losses"], "scalar/triplet/loss_num")
    scale(case["training_feat"]["triplet/embeddings"], "dot")
    scale(case["grads"]["Head.fc_bin"], "norm", 1.01)
    del case["grads"]["gl_block2.0.conv.weight"]
    case["running_stats"]["bn.running_mean"] = {"shape": [1], "norm": 1.0, "dot": 1.0}
    arrays = dict(np.load(GOLDEN / "gaitset_train.npz"))
    arrays["loss_info/scalar/triplet/hard_loss"][3] *= 1.01
    compared = networks.train(case, arrays, RULE)
    failed = {(c.what, c.where.partition(",")[0]) for c in compared if not c.passes}
    assert failed == {
        ("losses", "loss_sum"),
        ("losses", "scalar/triplet/loss_num"),
        ("loss parts", "scalar/triplet/hard_loss"),
        ("features", "triplet/embeddings"),
        ("grads in float64", "Head.fc_bin"),
        ("grads in float64", "gl_block2.0.conv.weight"),
        ("running_stats", "bn.running_mean"),
    }


@pytest.mark.parametrize(
    ("name", "key"),
    [("gaitset_eval", "out/embeddings"), ("losses", "triplet_plain/grad/embeddings")],
)
def test_a_tampered_array_fails(folder, name, key):
    folder.take(name)
    folder.edit_array(name, key, lambda x: x + 0.1 * np.eye(*x.shape[-2:], dtype=x.dtype))
    code, lines = folder.check()
    assert code == 1
    assert sum(line.endswith("  fail") for line in lines.values()) == 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("gaitset_train", lambda c: c["model_cfg"].update(model="GaitNext")),
        ("gaitset_train", lambda c: c["loss_cfg"].update(type="ArcFace")),
        ("gaitset_eval", lambda c: c["inputs"].update(poses="[n,s,17,3]")),
        ("gaitbase_ccpg.manifest", lambda c: c["model_cfg"].update(model="GaitNext")),
        ("eval_single_view_CASIA-B", lambda c: c.update(dataset="Lab-Z")),
        ("eval_single_view_CASIA-B", lambda c: c.update(func="evaluate_all")),
        ("losses", lambda c: c["cases"]["ce_default"].update({"class": "ArcFace"})),
        ("optim", lambda c: c["quadratic"][0]["optimizer_cfg"].update(solver="Lion")),
        ("optim", lambda c: c["quadratic"][0]["optimizer_cfg"].update(nesterov=True)),
        ("optim", lambda c: c["schedules"][0]["scheduler_cfg"].update(scheduler="PolyLR")),
        ("optim", lambda c: c.update(swa={"m": [0.99]})),
        ("gaitset_eval", lambda c: (c.pop("mode"), c.update(kind="video"))),
    ],
)
def test_what_gaitjax_lacks_is_not_supported(folder, name, change):
    folder.take(name)
    folder.edit(name, change)
    code, lines = folder.check()
    assert code == 1
    assert sum(line.endswith("  not supported") for line in lines.values()) == 1
    assert not any(line.endswith("  fail") for line in lines.values())


def test_the_names_of_a_table_can_be_selected(folder):
    folder.take("optim")
    code, lines = folder.check("optim/.*(SGD|Adam|AdamW).*MultiStepLR")
    assert code == 0
    assert set(lines) == {
        "optim/schedules/0_SGD_MultiStepLR",
        "optim/schedules/1_Adam_MultiStepLR",
        "optim/schedules/2_AdamW_MultiStepLR",
        "optim/together/0_SGD_MultiStepLR",
    }


def test_the_rule_of_the_folder_is_used(folder):
    folder.take("gaitset_eval")
    shutil.copy(ROOT / "scripts/golden/rule.py", folder.path / "golden_rule.py")
    before = sorted(folder.path.iterdir())
    assert folder.check()[0] == 0
    assert sorted(folder.path.iterdir()) == before
    own = (folder.path / "golden_rule.py").read_text()
    (folder.path / "golden_rule.py").write_text(own.replace("2.0 / fan_in", "1.0 / fan_in"))
    assert folder.check()[0] == 1


def pickled(path):
    np.savez(path, embeddings=np.array([{}], object))


@pytest.mark.parametrize(
    ("file", "damage", "said"),
    [
        ("eval_single_view_CASIA-B.npz", Path.unlink, "is missing"),
        ("eval_single_view_CASIA-B.npz", lambda p: p.write_bytes(b"PK\x03\x04"), "cannot be read"),
        ("eval_single_view_CASIA-B.npz", pickled, "cannot be read"),
        ("eval_single_view_CASIA-B.npz", lambda p: np.savez(p, x=0), "has no array 'embeddings'"),
        ("eval_single_view_CASIA-B.json", Path.unlink, "is missing"),
        ("eval_single_view_CASIA-B.json", lambda p: p.write_text('{"kind": "ev'), "cannot be read"),
        ("eval_single_view_CASIA-B.json", lambda p: p.write_text("[" * 100_000), "cannot be read"),
        ("eval_single_view_CASIA-B.json", lambda p: p.write_text("[]"), "cannot be read"),
        ("eval_single_view_CASIA-B.json", lambda p: p.write_text('{"mode": "eval"}'), "model_cfg"),
        ("eval_single_view_CASIA-B.json", lambda p: p.write_text('{"cases": {}}'), "without cases"),
    ],
)
def test_a_broken_file_fails_in_one_line(folder, file, damage, said):
    folder.take("eval_single_view_CASIA-B")
    damage(folder.path / file)
    code, line = folder.check_one()
    assert code == 1
    assert line.startswith("eval_single_view_CASIA-B ")
    assert line.endswith("  fail")
    assert said in line


def test_an_unreadable_file_is_reported_whatever_is_asked_for(folder):
    folder.take("losses")
    (folder.path / "optim.json").write_text("{")
    code, lines = folder.check("losses/ce_default")
    assert code == 1
    assert set(lines) == {"losses/ce_default", "optim"}


def test_an_index_is_no_case(folder):
    folder.take("losses")
    (folder.path / "index_all.json").write_text("[]")
    assert "index_all" not in folder.check("losses/ce|index")[1]


@pytest.mark.parametrize("only", ["gaitset", "nothing_like_it"])
def test_nothing_to_run_is_an_error(folder, only):
    if only != "gaitset":
        folder.take("losses")
    assert folder.check(only) == (2, {})


def test_a_missing_folder_is_an_error(tmp_path, capsys):
    assert check_golden.main([str(tmp_path / "none")]) == 2
    assert "there is no folder" in capsys.readouterr().err


def test_a_broken_regex_is_an_error(tmp_path):
    with pytest.raises(SystemExit, match="2"):
        check_golden.main([str(tmp_path), "--only", "("])


def test_triplets_of_classes_that_differ_in_size_must_be_refused(folder, monkeypatch):
    folder.take("losses")
    assert folder.check("misaligned|raises")[0] == 0
    monkeypatch.setattr(triplet, "_check_counts", lambda *_: None)
    code, lines = folder.check("misaligned|raises")
    assert code == 1
    assert all(line.endswith("  fail") for line in lines.values())


def test_where_the_reference_is_nan_ours_need_only_be_finite(folder):
    def change(table):
        case = table["cases"]["ce_default"]
        case.update(loss="nan", loss_mean="nan", info={"loss": "nan"})

    folder.take("losses")
    folder.edit("losses", change)
    folder.edit_array("losses", "ce_default/grad/logits", lambda x: x * np.nan)
    assert folder.check("ce_default")[0] == 0
    folder.edit_array("losses", "ce_default/in/logits", lambda x: x * np.nan)
    assert folder.check("ce_default")[0] == 1


def test_packed_sequences_of_networks_that_mix_frames_are_skipped(folder, monkeypatch):
    monkeypatch.setattr(gaitset, "MIXES_FRAMES", True, raising=False)
    folder.take("gaitset_eval_seql")
    code, line = folder.check_one()
    assert code == 0
    assert "  skipped: " in line


def test_runs_as_a_command_from_anywhere(tmp_path):
    command = [
        sys.executable,
        ROOT / "scripts/check_golden.py",
        GOLDEN,
        "--only",
        "gaitbase.*manifest",
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "gaitbase_ccpg.manifest",
        "gaitbase_oumvlp.manifest",
    ]


def test_tolerances_follow_from_stated_deviations():
    notes = (
        "float32 against float64: out/mask max|diff|/max|value| 4.6e-07; losses triplet/loss "
        "4e-05, loss_sum 0e+00; grads (difference of norm or dot / norm) median 9e-06, worst 1e-03 "
        "at a.b"
    )
    stated = tolerance.deviations(notes)
    assert stated == {"out/mask": 4.6e-7, "triplet/loss": 4e-5, "loss_sum": 0, "grads": 1e-3}
    limits = [tolerance.output_limit(stated.get(k)) for k in ("triplet/loss", "loss_sum", "else")]
    assert limits == pytest.approx([1.6e-4, 1e-4, 1e-4])
    limits = [tolerance.gradient_limit(d) for d in (stated["grads"], 0.0, None)]
    assert limits == pytest.approx([4e-3, 1e-3, 3e-2])


def test_fingerprints_of_vanishing_gradients_are_compared_absolutely():
    theirs = {"shape": [3], "norm": 1e-7, "dot": 0.0}
    ours = {"shape": [3], "norm": 5e-6, "dot": 0.0}
    compared = tolerance.fingerprint("grads", "a", ours, theirs, 1e-3, largest=1.0)
    assert compared.passes
    assert compared.tolerance == pytest.approx(1e-5)
    assert not tolerance.fingerprint("grads", "a", ours, theirs, 1e-3).passes


@pytest.mark.parametrize("ours", [np.nan, np.inf])
def test_what_is_not_finite_never_passes(ours):
    assert not tolerance.scalar("x", "", ours, 1.0, 1.0).passes
    assert not tolerance.array("x", "", [ours, 1.0], [1.0, 1.0], 1.0).passes
    probe = {"shape": [1], "norm": ours, "dot": 0.0}
    assert not tolerance.fingerprint("x", "", probe, {**probe, "norm": 1.0}, 1.0).passes
