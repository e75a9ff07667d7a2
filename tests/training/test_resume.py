"""A run that is interrupted ends in the bits of one that is not."""

import random
import signal
import subprocess
import time
from pathlib import Path

import pytest
import tiny

from gaitjax.training import checkpoint, loop
from tests.training import dropping


def test_two_steps_and_two_more_are_four(tree, tmp_path, caplog):
    config = dropping.use(tiny.config(tree))
    loop.train(config, tmp_path / "whole", tmp_path)
    config.train.steps = 2
    loop.train(config, tmp_path / "parts", tmp_path)
    config.train.steps = 4
    config.data.threads = 1
    loop.train(config, tmp_path / "parts", tmp_path)
    whole = tiny.saved(tmp_path / "whole", 4)
    assert tiny.same_bits(whole, tiny.saved(tmp_path / "parts", 4))
    assert not tiny.same_bits(whole, tiny.saved(tmp_path / "parts", 2))
    assert tiny.losses(tmp_path / "whole") == tiny.losses(tmp_path / "parts")

    before = contents(tmp_path / "parts" / "checkpoints")
    with caplog.at_level("INFO", logger="gaitjax"):
        loop.train(config, tmp_path / "parts", tmp_path)
    assert "is finished: it is at step 4 of 4" in caplog.text
    assert contents(tmp_path / "parts" / "checkpoints") == before


def contents(folder: Path) -> dict[Path, tuple[int, int]]:
    return {p: (p.stat().st_size, p.stat().st_mtime_ns) for p in folder.rglob("*") if p.is_file()}


def read_until(process: subprocess.Popen[str], text: str) -> None:
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the run ended before it said {text!r}")


def wait_until(condition, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


def sockets(pid: int) -> set[str]:
    """The Internet sockets that a process holds."""
    held = {str(p.readlink()) for p in Path(f"/proc/{pid}/fd").iterdir()}
    lines = [
        line.split()
        for name in ("tcp", "tcp6", "udp", "udp6")
        for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]
    ]
    return {f"socket:[{fields[9]}]" for fields in lines} & held


@pytest.mark.slow
def test_killed_three_times_and_stopped_once(tree, tmp_path):
    rng, broken, whole = random.Random(0), tmp_path / "broken", tmp_path / "whole"
    options = tiny.options(tree, train__steps=100, train__checkpoint_every=5)

    def start(workdir: Path) -> subprocess.Popen[str]:
        return tiny.start("train", [*options, f"--workdir={workdir}"])

    reached = [0]
    for attempt in range(3):
        process = start(broken)
        read_until(process, "first step")
        at = checkpoint.latest_step(broken)
        if attempt == 0:  # during the write of a checkpoint
            wait_until(lambda: checkpoint.latest_step(broken) >= 20)
            wait_until(lambda: any((broken / "checkpoints").glob("*tmp*")))
        else:
            wait_until(lambda at=at: checkpoint.latest_step(broken) > at)
            time.sleep(rng.random() / 2)
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        reached.append(checkpoint.latest_step(broken))
    process = start(broken)
    read_until(process, "first step")
    assert sockets(process.pid) == set()
    process.send_signal(signal.SIGTERM)
    told = tiny.finish(process)[0]
    stopped = checkpoint.latest_step(broken)
    assert f"stopped as asked after step {stopped}" in told
    assert reached == sorted(reached)
    assert stopped < 100
    tiny.finish(start(broken))
    tiny.finish(start(whole))
    assert tiny.same_bits(tiny.saved(whole, 100), tiny.saved(broken, 100))
    assert tiny.losses(whole).keys() == tiny.losses(broken).keys()
    assert {p.name for p in (broken / "checkpoints").iterdir()} == {"90", "95", "100"}
