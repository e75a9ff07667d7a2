"""What training changes, and nothing else."""

from collections.abc import Sequence
from typing import Any

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from gaitjax.data.batch import Array
from gaitjax.training import parameters


@flax.struct.dataclass
class State:
    """The whole state of a run; with the seed and the data, it decides all that follows.

    Attributes:
        step: int32, how many steps were taken.
        params: of the network, those that are frozen among them.
        batch_stats: running statistics.
        opt_state: the optimizer's own; it knows of trained parameters only.
    """

    step: jax.Array
    params: Any
    batch_stats: Any
    opt_state: Any

    @property
    def variables(self) -> dict[str, Any]:
        """What `model.apply` takes."""
        return {"params": self.params, "batch_stats": self.batch_stats}


def create(
    model: nn.Module,
    tx: optax.GradientTransformation,
    freeze: Sequence[str],
    seed: int,
    inputs: dict[str, Array],
    lengths: Array,
) -> State:
    """The state before the first step.

    Args:
        model: a network.
        tx: the optimizer.
        freeze: patterns of the parameters that are not trained.
        seed: of the initial parameters.
        inputs: as the network reads them; only shapes matter.
        lengths: [N].

    Raises:
        UserError: for a pattern that matches no parameter.
    """
    variables = model.init(jax.random.key(seed), inputs, lengths, train=False)
    params, batch_stats = variables["params"], variables.get("batch_stats", {})
    trained, _ = parameters.split(params, freeze)
    return State(jnp.zeros((), jnp.int32), params, batch_stats, tx.init(trained))
