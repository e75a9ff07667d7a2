"""What training changes, and nothing else."""

from typing import Any

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from gaitjax.data.batch import Array


@flax.struct.dataclass
class State:
    """The whole state of a run; with the seed and the data, it decides all that follows.

    Attributes:
        step: int32, how many steps were taken.
        params: what the optimizer changes.
        batch_stats: running statistics.
        opt_state: the optimizer's own.
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
    seed: int,
    inputs: dict[str, Array],
    lengths: Array,
) -> State:
    """The state before the first step.

    Args:
        model: a network.
        tx: the optimizer.
        seed: of the initial parameters.
        inputs: as the network reads them; only shapes matter.
        lengths: [N].
    """
    variables = model.init(jax.random.key(seed), inputs, lengths, train=False)
    params, batch_stats = variables["params"], variables.get("batch_stats", {})
    return State(jnp.zeros((), jnp.int32), params, batch_stats, tx.init(params))
