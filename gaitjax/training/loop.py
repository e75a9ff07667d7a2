"""The training loop: take a step, tell of it, keep it."""

import contextlib
import dataclasses
import json
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from gaitjax import files
from gaitjax.data import sequences
from gaitjax.data.batch import Batch
from gaitjax.errors import UserError
from gaitjax.evaluation import report
from gaitjax.evaluation.embed import Forward
from gaitjax.training import checkpoint, parameters, transfer, validation
from gaitjax.training import experiment as experiments
from gaitjax.training import mesh as meshes
from gaitjax.training.checkpoint import Checkpoints
from gaitjax.training.experiment import Data, Training
from gaitjax.training.meter import Meter
from gaitjax.training.state import State
from gaitjax.training.transfer import Transfer
from gaitjax.training.writer import Writer

# What may change between two starts of one run; everything else decides its result.
FREE = (
    "train.steps",
    "train.log_every",
    "train.image_every",
    "train.checkpoint_every",
    "train.keep",
    "train.evaluate_every",
    "evaluation",
    "data.root",
    "data.partition",
    "data.verify",
    "data.threads",
    "data.prefetch",
)
SHOWN_SEQUENCES, SHOWN_FRAMES = 4, 8  # in an image of inputs


@dataclasses.dataclass(frozen=True)
class Run:
    """What stays the same from the first step of a run to the last."""

    config: ConfigDict
    data: Data
    training: Training
    embedder: Forward
    unscored: str  # why there is no evaluation; empty if there is one
    transfers: list[Transfer]  # what a new run starts from
    workdir: Path
    meta: dict[str, Any]
    checkpoints: Checkpoints
    writer: Writer


def train(config: ConfigDict, workdir: Path, cache: Path) -> None:
    """Trains to config.train.steps, from the latest checkpoint in workdir if there is one.

    Args:
        config: see configs/common.py.
        workdir: of this run: checkpoints, scalars, scores.
        cache: where built-in data are kept.

    Raises:
        UserError: for whatever the user can mend; all is checked before anything is written.
    """
    data = experiments.open_data(config, cache)
    training = experiments.build_training(config, data, meshes.all_devices())
    unscored = validation.unscored(config, data, training.model)
    embedder = validation.embedder(config, training.model)
    meta = experiments.describe(config, data)
    files.check_writable(workdir)
    first = checkpoint.latest_step(workdir)
    sources = () if first else config.train.init_from
    variables = training.abstract.variables
    transfers = [transfer.plan(config.network, variables, Path(path)) for path in sources]
    if checkpoint.exists(workdir):  # at step 0 too, as a converted one may be
        check_same_run(workdir, checkpoint.Found(workdir).meta, meta)
    elif config.data.verify:
        for split in (data.splits.train, data.splits.test):
            sequences.verify(split, config.data.modalities, config.data.threads)
    with (
        contextlib.closing(Writer(workdir, first, active=jax.process_index() == 0)) as writer,
        Checkpoints(workdir, config.train.keep) as checkpoints,
    ):
        run = Run(
            config,
            data,
            training,
            embedder,
            unscored,
            transfers,
            workdir,
            meta,
            checkpoints,
            writer,
        )
        writer.lines([*data.splits.lines, *_opening(run, first)])
        if first < config.train.steps:
            _steps(run, first)


def check_same_run(workdir: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Refuses to go on with a run that was started with another model, data or seed.

    Raises:
        UserError: lists every difference.
    """
    old, new = (_flat(json.loads(json.dumps(meta))) for meta in (found, wanted))
    free = tuple(f"config.{name}" for name in FREE)
    differences = [
        f"{name}: {old.get(name)!r} there, {new.get(name)!r} now"
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
        and not any(name == field or name.startswith(f"{field}.") for field in free)
    ]
    if differences:
        raise UserError(
            f"{workdir} holds a run that differs from this one: {'; '.join(differences)}. Choose "
            "another --workdir, or undo the difference"
        )


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _opening(run: Run, first: int) -> list[str]:
    config, total = run.config, run.config.train.steps
    if first >= total:
        return [f"{run.workdir} is finished: it is at step {first} of {total}"]
    params = run.training.abstract.params
    size, frozen = map(_size, (params, parameters.split(params, config.freeze)[1]))
    fixed = f" ({frozen:,} of them frozen)" if frozen else ""
    return [
        f"{config.network} with {size:,} parameters{fixed}, {config.dtype}, on "
        f"{jax.device_count()} device(s) ({jax.devices()[0].device_kind}) of "
        f"{jax.process_count()} process(es)",
        *(line for each in run.transfers for line in each.lines),
        f"batches of {run.training.sampler.description}",
        *([f"no evaluation: {run.unscored}"] if run.unscored else []),
        f"training from step {first} to {total}, in {run.workdir}",
    ]


def _size(params: Any) -> int:
    return sum(x.size for x in jax.tree.leaves(params))


def _steps(run: Run, first: int) -> None:
    """Takes the steps from `first` on, until the last or until the run is asked to stop."""
    config, training = run.config, run.training
    state = _initial_state(run, first)
    meter, clock = Meter(run.workdir), Clock()
    with _stop_requests() as asked, contextlib.closing(training.batches(first)) as batches:
        for step in range(first, config.train.steps):
            with clock.waiting():
                batch = next(batches)
            state, scalars = training.step(state, meshes.put_rows(batch, training.mesh))
            meter.push(step, scalars, batch)
            if step == first:
                meter.settle()
                clock.first_step(run.writer)
            if _due(step, config.train.image_every):
                _show(run.writer, step, batch)
            done, stopping = step + 1, meshes.stop_together(bool(asked), step)
            last = done == config.train.steps
            if done % config.train.log_every == 0 or last:
                _tell(run, done, meter, clock)
            score = None
            due = last or _due(done, config.train.evaluate_every)
            if not stopping and due and not run.unscored:
                score = _evaluate(run, done, state)
                clock.restart()
            kept = last or stopping or _due(done, config.train.checkpoint_every)
            if kept or score is not None:
                meter.settle()  # nothing that is not finite is ever kept
                run.checkpoints.save(done, state, run.meta, score)
            if stopping:
                run.writer.lines([f"stopped as asked after step {done}; start again to go on"])
                return
    run.checkpoints.wait()
    run.writer.lines([f"finished: {run.workdir} is at step {config.train.steps}"])


def _due(done: int, every: int) -> bool:
    return every > 0 and done % every == 0


def _initial_state(run: Run, first: int) -> State:
    if not first:
        return _taking(run.training.init(), run.transfers)
    sharding = meshes.replicated(run.training.mesh)
    return run.checkpoints.restore(first, checkpoint.abstract(run.training.abstract, sharding))


def _taking(state: State, transfers: list[Transfer]) -> State:
    variables = state.variables
    for each in transfers:
        variables = transfer.take(variables, each)
    return dataclasses.replace(state, **variables)


def _tell(run: Run, done: int, meter: Meter, clock: "Clock") -> None:
    """A line of the log, and every scalar to TensorBoard and the JSON lines."""
    scalars = meter.means()
    scalars["learning_rate"] = float(run.training.rate(done - 1))
    scalars |= clock.interval()
    memory = jax.local_devices()[0].memory_stats() or {}
    if "peak_bytes_in_use" in memory:
        scalars["device_peak_GiB"] = memory["peak_bytes_in_use"] / 2**30
    run.writer.scalars(done, scalars, "train")
    shown = " ".join(f"{name}={value:.4g}" for name, value in scalars.items())
    run.writer.lines([f"step {done}/{run.config.train.steps} {shown}"])


def _evaluate(run: Run, done: int, state: State) -> float:
    """Scores the state, writes what was found, and returns the mean of the main score."""
    config, data = run.config, run.data
    result = validation.evaluate(config, data, run.embedder, state.variables)
    run.writer.lines([f"evaluation after step {done}", *report.lines(result)])
    run.writer.scalars(done, report.scalars(result), "evaluation")
    if jax.process_index() == 0:
        facts = {"step": done, "workdir": str(run.workdir), **run.meta}
        report.write(result, run.workdir, f"evaluation-{done}", facts)
    if done == config.train.steps and config.evaluation.baselines:
        untrained = run.training.init().variables
        others = validation.baselines(config, data, run.embedder, untrained)
        run.writer.lines(validation.comparison({"trained": result, **others}))
    return result.scores[f"mean/{result.main}"]


def _show(writer: Writer, step: int, batch: Batch) -> None:
    """The images of a few sequences, as they come from the disk."""
    for name, x in batch.inputs.items():
        if x.dtype == np.uint8 and x.ndim == 4:
            frames = np.asarray(x[:SHOWN_SEQUENCES, :SHOWN_FRAMES])
            writer.sequences(step, f"inputs/{name}", frames)


class Clock:
    """Where the time of a logging interval goes."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Begins an interval."""
        self._start, self._waited, self._steps = time.monotonic(), 0.0, 0

    @contextlib.contextmanager
    def waiting(self) -> Iterator[None]:
        """Counts what is inside as waiting for data, and one more step."""
        start = time.monotonic()
        yield
        self._waited += time.monotonic() - start
        self._steps += 1

    def first_step(self, writer: Writer) -> None:
        """Leaves the first step, which compiles, out of the interval."""
        seconds = time.monotonic() - self._start
        writer.lines([f"first step, with compilation: {seconds:.1f} s"])
        self.restart()

    def interval(self) -> dict[str, float]:
        """Steps per second and the share of time spent waiting for data; begins another."""
        seconds = time.monotonic() - self._start
        speed = {}
        if self._steps:
            speed = {
                "steps_per_second": self._steps / seconds,
                "data_wait_share": self._waited / seconds,
            }
        self.restart()
        return speed


@contextlib.contextmanager
def _stop_requests() -> Iterator[list[int]]:
    """The signals received that ask the run to stop: SIGTERM, or SIGINT from the keyboard.

    The second one stops it at once. A run of several processes hears of SIGTERM through
    `jax.distributed`, which tells all of them.
    """
    asked: list[int] = []
    if jax.process_count() > 1:
        yield asked
        return

    def ask(number: int, frame: Any) -> None:
        asked.append(number)
        for name, handler in before.items():
            signal.signal(name, handler)

    before = {name: signal.getsignal(name) for name in (signal.SIGTERM, signal.SIGINT)}
    for name in before:
        signal.signal(name, ask)
    try:
        yield asked
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
