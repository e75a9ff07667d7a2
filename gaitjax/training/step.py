"""One training step: a pure function of state and batch."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from gaitjax import lookup
from gaitjax.data import augment
from gaitjax.data.batch import Array, Batch
from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.training import parameters
from gaitjax.training.state import State

Scalars = dict[str, jax.Array]
Transforms = Mapping[str, Sequence[Mapping[str, Any]]]


def total_loss(
    losses: Mapping[str, Mapping[str, Any]], output: Output, labels: Mapping[str, Array]
) -> tuple[jax.Array, Scalars]:
    """The weighted sum of the configured losses.

    Args:
        losses: term -> 'type', a file of gaitjax/losses; 'weight', 1 if absent; 'labels', the label
            it reads, 'identity' if absent; and that loss's options.
        output: of the network; its `terms` hold the arguments of each loss.
        labels: label -> int [N].

    Returns:
        The sum, and 'term/scalar' -> its mean, for every term, before its weight.

    Raises:
        UserError: for a term that the network does not supply, or an option no loss has.
    """
    total = jnp.zeros(())
    scalars: Scalars = {}
    for term, options in losses.items():
        if term not in output.terms:
            supplied = ", ".join(sorted(output.terms))
            raise UserError(f"config.losses.{term}: the network supplies only {supplied}")
        options = dict(options)
        function = lookup.module("gaitjax.losses", options.pop("type")).loss
        weight = options.pop("weight", 1.0)
        label = options.pop("labels", "identity")
        options |= output.terms[term]
        signature = inspect.signature(function)
        if "labels" in signature.parameters:
            if label not in labels:
                known = ", ".join(sorted(labels))
                raise UserError(f"config.losses.{term}.labels is {label!r}; the data have {known}")
            options = {"labels": labels[label], **options}
        try:
            signature.bind(**options)
        except TypeError as error:
            raise UserError(f"config.losses.{term}: {error}") from error
        value, reported = function(**options)
        total += weight * value
        scalars |= {f"{term}/{name}": jnp.mean(x) for name, x in reported.items()}
    return total, scalars


def make(
    model: nn.Module,
    tx: optax.GradientTransformation,
    losses: Mapping[str, Mapping[str, Any]],
    transforms: Transforms,
    seed: int,
    freeze: Sequence[str] = (),
    row_by_row: bool = False,
) -> Callable[[State, Batch], tuple[State, Scalars]]:
    """The step of a run: state, batch -> state after it, scalars of it.

    Args:
        model: a network; its `after_step`, if it has one, is what the parameters go through after
            the optimizer, with the number of steps taken.
        tx: the optimizer.
        losses: config.losses.
        transforms: config.data.transforms.
        seed: of augmentation and dropout; each step's draws follow from it and the step.
        freeze: patterns of the parameters that are not trained; their gradients are not computed.
            Statistics move with every batch all the same.
        row_by_row: as in `augment.apply`.
    """

    def train_step(state: State, batch: Batch) -> tuple[State, Scalars]:
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), state.step))
        inputs = augment.apply(batch.inputs, batch.lengths, transforms, keys[0], row_by_row)

        trained, frozen = parameters.split(state.params, freeze)

        def forward(trained: Any) -> tuple[jax.Array, tuple[Any, Scalars]]:
            params = parameters.merge(trained, frozen)
            output, changed = model.apply(
                {"params": params, "batch_stats": state.batch_stats},
                inputs,
                batch.lengths,
                train=True,
                rngs={"dropout": keys[1]},
                mutable=["batch_stats"],
            )
            value, scalars = total_loss(losses, output, batch.labels)
            return value, (changed.get("batch_stats", {}), scalars)

        gradient = jax.value_and_grad(forward, has_aux=True)
        (value, (batch_stats, scalars)), grads = gradient(trained)
        updates, opt_state = tx.update(grads, state.opt_state, trained)
        params = parameters.merge(optax.apply_updates(trained, updates), frozen)
        if hasattr(model, "after_step"):
            params = model.after_step(params, state.step + 1)
        scalars |= {"loss": value, "gradient_norm": optax.tree.norm(grads)}
        return State(state.step + 1, params, batch_stats, opt_state), scalars

    return train_step
