"""Two processes on loopback train as one does, and stop together."""

import json
import signal
import socket
from pathlib import Path

import numpy as np
import pytest
import tiny

from gaitjax.training import checkpoint

TWO_DEVICES = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}


def start_two(arguments: list[str], **environment: str):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = [f"--coordinator=127.0.0.1:{port}", "--processes=2"]
    return [
        tiny.start("train", [*arguments, *together, f"--process={i}"], **TWO_DEVICES, **environment)
        for i in range(2)
    ]


def evaluation(workdir: Path) -> dict:
    return json.loads((workdir / "evaluation-3.json").read_text())["scores"]


def test_two_processes_train_as_one_does(tree, tmp_path):
    options = tiny.options(tree, dtype="float64", train__steps=3, train__log_every=1)
    exact = {"JAX_ENABLE_X64": "1"}
    two, one = tmp_path / "two", tmp_path / "one"
    told = tiny.finish(
        *start_two([*options, f"--workdir={two}"], **exact),
        tiny.start("train", [*options, f"--workdir={one}"], **exact),
    )
    assert "on 4 device(s) (cpu) of 2 process(es)" in told[0]
    assert "on 1 device(s) (cpu) of 1 process(es)" in told[2]
    a, b = tiny.losses(one), tiny.losses(two)
    assert list(a) == [1, 2, 3]
    assert a == pytest.approx(b, abs=1e-8)
    a, b = tiny.saved(one, 3), tiny.saved(two, 3)
    assert a.keys() == b.keys()
    assert a["params/head/kernel"].dtype == np.float64
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=0, atol=1e-8)
    assert evaluation(one) == evaluation(two)


@pytest.mark.slow
def test_sigterm_to_one_stops_both_at_the_same_step(tree, tmp_path):
    options = tiny.options(tree, train__steps=1_000_000, train__log_every=1_000_000)
    processes = start_two([*options, f"--workdir={tmp_path / 'run'}"])
    for line in processes[0].stderr:
        if "first step" in line:
            break
    processes[1].send_signal(signal.SIGTERM)
    told = tiny.finish(*processes)
    step = checkpoint.latest_step(tmp_path / "run")
    assert f"stopped as asked after step {step}" in told[0]
    assert int(tiny.saved(tmp_path / "run", step)["step"]) == step
