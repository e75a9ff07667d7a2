"""The scalars of a logging interval, and the guard against a loss that is no number."""

from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from gaitjax.data.batch import Batch
from gaitjax.errors import UserError


class _Pending(NamedTuple):
    step: int
    scalars: dict[str, jax.Array]
    batch: Batch


class Meter:
    """Collects the scalars of each step once the next one is on its way.

    Devices work while the host looks at the step before, so that looking costs nothing.

    Args:
        workdir: where the batch of a non-finite loss is kept.
    """

    def __init__(self, workdir: Path) -> None:
        self._workdir = workdir
        self._pending: _Pending | None = None
        self._settled: list[dict[str, float]] = []

    def push(self, step: int, scalars: dict[str, jax.Array], batch: Batch) -> None:
        """Takes the scalars of a step, and looks at those of the step before.

        Args:
            step: from 0.
            scalars: on the device; 'loss' among them.
            batch: this process's share of what the step was taken on.

        Raises:
            UserError: if the loss of the step before is not finite.
        """
        self.settle()
        self._pending = _Pending(step, scalars, batch)

    def settle(self) -> None:
        """Waits for the latest step.

        Raises:
            UserError: if its loss is not finite; its batch is then in the run's folder.
        """
        if self._pending is None:
            return
        step, scalars, batch = self._pending
        self._pending = None
        values = {name: float(x) for name, x in jax.device_get(scalars).items()}
        if not np.isfinite(values["loss"]):
            raise UserError(self._keep(step, values, batch))
        self._settled.append(values)

    def means(self) -> dict[str, float]:
        """The mean of each scalar since the last call."""
        self.settle()
        settled, self._settled = self._settled, []
        return {name: float(np.mean([s[name] for s in settled])) for name in settled[0]}

    def _keep(self, step: int, values: dict[str, float], batch: Batch) -> str:
        path = self._workdir / f"nonfinite-step-{step}-process-{jax.process_index()}.npz"
        arrays = {f"inputs/{name}": x for name, x in batch.inputs.items()}
        arrays |= {f"labels/{name}": x for name, x in batch.labels.items()}
        np.savez(path, allow_pickle=False, lengths=batch.lengths, **arrays)
        terms = ", ".join(f"{name}={x:.4g}" for name, x in values.items())
        return (
            f"the loss of step {step} is not finite ({terms}); its batch is kept in {path}, the "
            "latest checkpoint is from before it. Lower config.optimizer.learning_rate, or look at "
            "the batch"
        )
