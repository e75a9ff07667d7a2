"""How fast this machine reads, trains and evaluates what a config says, and in what memory.

    python scripts/benchmark.py --config configs/gaitset.py:casia_b [--config.x=...]
        [--steps N] [--output FILE]

prints JSON; --steps=0 measures the loader alone. Speeds are medians, taken when the arrays are
ready on the devices; compilation and warm-up are left out of them and stated apart. One process, on
all devices that it sees. A measurement that is stopped leaves in the file what it had found.
"""

import contextlib
import functools
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import jax  # noqa: E402
import numpy as np  # noqa: E402
from absl import flags  # noqa: E402
from ml_collections import ConfigDict  # noqa: E402

from gaitjax import command, files, progress  # noqa: E402
from gaitjax.data import augment  # noqa: E402
from gaitjax.data.batch import Batch  # noqa: E402
from gaitjax.data.frames import padded_length  # noqa: E402
from gaitjax.evaluation import embed  # noqa: E402
from gaitjax.training import experiment as experiments  # noqa: E402
from gaitjax.training import mesh as meshes  # noqa: E402
from gaitjax.training import validation  # noqa: E402
from gaitjax.training.experiment import Data, Training  # noqa: E402
from gaitjax.training.state import State  # noqa: E402

STEPS = flags.DEFINE_integer("steps", 20, "training steps that are timed", lower_bound=0)
OUTPUT = flags.DEFINE_string("output", None, "a file that the JSON is written to as well")
REPEATS = 3  # of what is timed as a whole
BATCHES = 24  # at least, in a timing of the loader
SEQUENCES = 256  # at most, in a timed evaluation


def main(config: ConfigDict) -> None:
    """Measures, and prints what was found."""
    if OUTPUT.value:
        files.check_writable(Path(OUTPUT.value).parent)
    data = experiments.open_data(config, command.cache_folder())
    training = experiments.build_training(config, data, meshes.all_devices())
    report = setting(config, training)
    report["data"] = reading = read(config, training)
    needed, before = 0, None
    if STEPS.value:
        keep(report)
        report["training"], needed, before, state = train(training, STEPS.value)
        share = reading["transform_seconds"] * report["training"]["steps_per_second"]
        report["training"]["share_of_transforms"] = share
    report["memory_GiB"] = used(needed, before)
    keep(report)
    if STEPS.value:
        report["evaluation"] = evaluate(config, data, training, state)
        keep(report)
    print(_text(report))


def keep(report: dict[str, Any]) -> None:
    """Writes what was found so far to the file, if there is to be one."""
    if OUTPUT.value:
        files.replace(Path(OUTPUT.value), f"{_text(report)}\n".encode())


def _text(report: dict[str, Any]) -> str:
    return json.dumps(report, indent=2)


def setting(config: ConfigDict, training: Training) -> dict[str, Any]:
    """What the numbers hold for."""
    return {
        "device": jax.devices()[0].device_kind,
        "devices": jax.device_count(),
        "processor": platform.processor() or platform.machine(),
        "cores": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "versions": {"python": platform.python_version(), "jax": jax.__version__},
        "network": config.network,
        "model": config.model.to_dict(),
        "dtype": config.dtype,
        "deterministic": config.deterministic,
        "dataset": config.data.dataset,
        "batch": {
            "sequences": training.sampler.batch,
            "frames_each": padded_length(config.data.frames),
            "sampling": config.data.frames.sampling,
        },
    }


def read(config: ConfigDict, training: Training) -> dict[str, Any]:
    """The loader beside nothing else, without and with the transforms on the devices."""
    transforms, mesh = config.data.transforms.to_dict(), training.mesh

    @functools.partial(jax.jit, in_shardings=(meshes.split(mesh), None))
    def transform(batch: Batch, step: int) -> dict[str, jax.Array]:
        key = jax.random.fold_in(jax.random.key(config.seed), step)
        one = meshes.is_one_cpu(mesh)
        return augment.apply(batch.inputs, batch.lengths, transforms, key, one)

    ahead = config.data.threads + config.data.prefetch
    alone = _speeds(training, ahead, lambda batch, step: batch)
    both = _speeds(training, ahead, transform)
    with contextlib.closing(training.batches(0)) as batches:
        batch = _placed(batches, training)
    seconds = [timed(functools.partial(transform, batch, step))[1] for step in range(BATCHES)]
    return {
        "frames_per_second": statistics.median(alone),
        "frames_per_second_transformed": statistics.median(both),
        "transform_seconds": statistics.median(seconds),
        "batches": len(both) * ahead,
    }


def _speeds(training: Training, ahead: int, use: Callable[[Batch, int], Any]) -> list[float]:
    """Frames per second, from the request for a batch to the arrays that are made of it.

    Batches that were read ahead come at once, so they are taken before the clock starts, and
    BATCHES more, as memory is slower at its first use; then each speed is of as many batches as
    are read ahead. Files that were read before come from the system's cache, as they do from the
    second epoch on.
    """
    speeds = []
    with contextlib.closing(training.batches(0)) as batches:

        def take(count: int) -> int:
            frames = 0
            for step in range(count):
                batch = _placed(batches, training)
                jax.block_until_ready(use(batch, step))
                frames += int(np.sum(batch.lengths))
            return frames

        take(ahead + BATCHES)
        times = -(-BATCHES // ahead)
        for _ in progress.bar(range(times), times, "reading"):
            frames, seconds = timed(lambda: take(ahead))
            speeds.append(frames / seconds)
    return speeds


def train(training: Training, steps: int) -> tuple[dict[str, Any], int, int | None, State]:
    """Steps with the loader at work beside them, as in training.

    Returns:
        The speeds, the bytes that the compiled step needs, those resident before its first run, and
        the state after the last step.
    """
    state = training.init()
    with contextlib.closing(training.batches(0)) as batches:
        first = meshes.put_rows(next(batches), training.mesh)
        jitted: Any = training.step
        step, compiling = timed(lambda: jitted.lower(state, first).compile())
        before = _resident("VmRSS")
        state, _ = step(state, first)  # warm-up
        jax.block_until_ready(state)
        waits, seconds, frames = [], [], []
        for _ in progress.bar(range(steps), steps, "training"):
            batch, waited = timed(lambda: _placed(batches, training))
            (state, _), taken = timed(functools.partial(step, state, batch))
            waits.append(waited)
            seconds.append(waited + taken)
            frames.append(float(np.sum(batch.lengths)))
    typical = statistics.median(seconds)
    speeds = {
        "compile_seconds": compiling,
        "steps": steps,
        "steps_per_second": 1 / typical,
        "frames_per_second": statistics.median(frames) / typical,
        "share_waiting_for_data": sum(waits) / sum(seconds),
    }
    return speeds, _needs(step.memory_analysis()), before, state


def _placed(batches: Iterator[Batch], training: Training) -> Batch:
    return meshes.put_rows(next(batches), training.mesh)


def _needs(analysis: Any) -> int:
    """Bytes on one device: arguments, results that do not take their place, and all between."""
    return int(
        analysis.argument_size_in_bytes
        + analysis.output_size_in_bytes
        - analysis.alias_size_in_bytes
        + analysis.temp_size_in_bytes
        + analysis.generated_code_size_in_bytes
    )


def evaluate(config: ConfigDict, data: Data, training: Training, state: State) -> dict[str, Any]:
    """Whole sequences of the test split, from disk to embedding; the first pass compiles."""
    test = data.splits.test
    rows = np.unique(np.linspace(0, len(test) - 1, min(SEQUENCES, len(test))).astype(int)).tolist()
    forward = validation.embedder(config, training.model)

    def run() -> None:
        batches = validation.embed_rows(config, data, forward, state.variables, rows)
        embed.collect(batches, len(rows))

    _, first = timed(run)
    typical = statistics.median(timed(run)[1] for _ in range(REPEATS))
    return {
        "sequences": len(rows),
        "batch": config.evaluation.batch,
        "first_pass_seconds": first,
        "sequences_per_second": len(rows) / typical,
    }


def used(needed: int, before: int | None) -> dict[str, float | None]:
    """Peaks so far, and what they exceed the compiled step's own need by, in GiB.

    Args:
        needed: bytes that the compiled step needs on a device.
        before: bytes that were resident before its first run.
    """
    peak, device = _resident("VmHWM"), jax.local_devices()[0]
    on_host = needed * jax.local_device_count() if device.platform == "cpu" else 0
    sizes = {
        "resident_before_first_step": before,
        "resident_peak": peak,
        "resident_files": _resident("RssFile"),
        "compiled_step_needs_on_each_device": needed,
        "resident_peak_beyond_compiled_step": None if peak is None else peak - on_host,
        "device_peak": (device.memory_stats() or {}).get("peak_bytes_in_use"),
    }
    return {name: None if size is None else size / 2**30 for name, size in sizes.items()}


def _resident(field: str) -> int | None:
    """Bytes of this process: now (VmRSS) or at most (VmHWM); None where there is no Linux.

    Not `getrusage`, whose peak is at least that of the process which started this one.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    lines = dict(line.split(":", 1) for line in status.read_text("utf-8").splitlines())
    return int(lines[field].split()[0]) * 1024


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """Calls a function, and returns its result, once it is ready, and the seconds it took."""
    start = time.perf_counter()
    result = jax.block_until_ready(function())
    return result, time.perf_counter() - start


if __name__ == "__main__":
    command.run(main)
