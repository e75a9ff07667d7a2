"""The benchmark measures a small run, states what it holds for, and refuses before it works."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "benchmark.py"


def benchmark(*arguments):
    """One CPU device, in a process of its own: memory is measured."""
    return subprocess.run(
        [sys.executable, SCRIPT, *arguments],
        env=os.environ | {"JAX_PLATFORMS": "cpu", "XLA_FLAGS": ""},
        cwd=SCRIPT.parents[1],
        capture_output=True,
        text=True,
        check=False,
    )


def test_speeds_and_memory_of_a_small_run(tmp_path):
    output = tmp_path / "cpu.json"
    done = benchmark(
        "--config=configs/gaitset.py:synthetic",
        f"--config.data.root={tmp_path / 'walkers'}",
        "--config.data.options.train_identities=2",
        "--config.data.options.test_identities=1",
        "--config.data.options.types=('nm-01', 'nm-05')",
        "--config.data.options.views=('000', '090')",
        "--config.data.options.frames=(8, 12)",
        "--config.data.sampler.identities=2",
        "--config.data.sampler.sequences=4",
        "--config.data.frames.number=6",
        "--config.model.channels=(4, 4, 4)",
        "--steps=2",
        f"--output={output}",
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert json.loads(output.read_text()) == report
    assert report["batch"] == {"sequences": 8, "frames_each": 6, "sampling": "fixed"}
    training, evaluation, memory = (report[n] for n in ("training", "evaluation", "memory_GiB"))
    data = report["data"]
    assert data["frames_per_second"] > 0
    assert data["frames_per_second_transformed"] > 0
    assert training["share_of_transforms"] == pytest.approx(
        data["transform_seconds"] * training["steps_per_second"]
    )
    assert training["frames_per_second"] == pytest.approx(48 * training["steps_per_second"])
    assert 0 <= training["share_waiting_for_data"] < 1
    assert evaluation["sequences"] == 4
    assert evaluation["first_pass_seconds"] * evaluation["sequences_per_second"] > 4  # it compiles
    assert 0 < memory["compiled_step_needs_on_each_device"] < 0.1
    assert 0.1 < memory["resident_before_first_step"] <= memory["resident_peak"] < 2
    assert memory["resident_peak_beyond_compiled_step"] < memory["resident_peak"]


def test_a_folder_that_cannot_be_written_is_refused_first(tmp_path):
    (tmp_path / "file").touch()
    done = benchmark(
        "--config=configs/gaitset.py:synthetic",
        f"--config.data.root={tmp_path / 'walkers'}",
        f"--output={tmp_path}/file/cpu.json",
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "walkers").exists()
