"""The launchers pass on what they are given, and refuse what would fail later."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
JOB = {"SLURM_JOB_ID": "1", "SLURM_NTASKS_PER_NODE": "4", "SLURM_CPUS_PER_TASK": "8"}


def run(script, *arguments, **environment):
    return subprocess.run(
        [SCRIPTS / script, *arguments],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_slurm_starts_a_task_for_each_gpu(tmp_path):
    srun = tmp_path / "srun"
    srun.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    srun.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    done = run("slurm.sh", "--workdir", "runs/a b", **JOB, SLURM_GPUS_ON_NODE="4", PATH=path)
    assert done.returncode == 0, done.stderr
    words = done.stdout.splitlines()
    assert words[-5:] == ["python", "-m", "gaitjax.train", "--workdir", "runs/a b"]
    assert "--cpus-per-task=8" in words
    assert not any("gpus-per-task" in word for word in words)


@pytest.mark.parametrize(
    ("environment", "fault"),
    [
        ({}, "submit this with sbatch"),
        (JOB | {"SLURM_GPUS_PER_TASK": "1"}, "--gpus-per-task is set"),
        (JOB | {"SLURM_GPUS_ON_NODE": "8"}, "4 tasks for 8 GPUs"),
    ],
)
def test_slurm_refuses_what_would_fail_later(environment, fault):
    done = run("slurm.sh", **environment)
    assert done.returncode == 1
    assert fault in done.stderr


def test_gpu_check_needs_a_gpu():
    done = run("gpu_check.sh", PYTHON=sys.executable, JAX_PLATFORMS="cpu")
    assert done.returncode == 1
    assert "sees no NVIDIA GPU" in done.stderr
    assert len(done.stderr.splitlines()) == 1
