"""Optimizers and schedules that step as PyTorch's do."""

from collections.abc import Callable, Mapping
from typing import Any

import optax

from gaitjax.errors import UserError


def schedule(config: Mapping[str, Any], learning_rate: float) -> optax.Schedule:
    """The learning rate by step.

    Args:
        config: 'type' and its options: 'constant', or 'multistep' with `milestones` (steps from
            which on the rate is multiplied by `gamma`).
        learning_rate: at step 0.

    Raises:
        UserError: for an unknown type or option.
    """
    return _named("schedule", SCHEDULES, config)(learning_rate)


def optimizer(config: Mapping[str, Any], rate: optax.Schedule) -> optax.GradientTransformation:
    """An optimizer.

    Args:
        config: 'type' ('sgd', 'adam', 'adamw') and its options.
        rate: the learning rate by step.

    Raises:
        UserError: for an unknown type or option.
    """
    options = {name: value for name, value in config.items() if name != "learning_rate"}
    return _named("optimizer", OPTIMIZERS, options)(rate)


def _constant() -> Callable[[float], optax.Schedule]:
    return lambda rate: optax.constant_schedule(rate)


def _multistep(milestones: tuple[int, ...], gamma: float) -> Callable[[float], optax.Schedule]:
    """The rate is multiplied by gamma at every milestone; one that is named twice counts twice."""
    if not all(isinstance(step, int) for step in milestones):
        raise UserError(
            f"config.schedule.milestones is {milestones}; expected steps, whole numbers"
        )
    factors: dict[int, float] = {}
    for step in milestones:
        factors[step] = factors.get(step, 1.0) * gamma
    return lambda rate: optax.piecewise_constant_schedule(rate, factors)


def _sgd(
    momentum: float = 0.0, weight_decay: float = 0.0
) -> Callable[[optax.Schedule], optax.GradientTransformation]:
    """PyTorch adds the decay to the gradient before the momentum."""
    return lambda rate: optax.chain(
        optax.add_decayed_weights(weight_decay), optax.sgd(rate, momentum or None)
    )


def _adam(
    weight_decay: float = 0.0, momentum: float = 0.0
) -> Callable[[optax.Schedule], optax.GradientTransformation]:
    """The decay is part of the gradient, not decoupled (that is AdamW).

    Momentum is SGD's alone; it is taken so that a config can change its type and nothing else.
    """
    return lambda rate: optax.chain(optax.add_decayed_weights(weight_decay), optax.adam(rate))


def _adamw(
    weight_decay: float = 0.01, momentum: float = 0.0
) -> Callable[[optax.Schedule], optax.GradientTransformation]:
    return lambda rate: optax.adamw(rate, weight_decay=weight_decay)


SCHEDULES: dict[str, Callable[..., Any]] = {"constant": _constant, "multistep": _multistep}
OPTIMIZERS: dict[str, Callable[..., Any]] = {"sgd": _sgd, "adam": _adam, "adamw": _adamw}


def _named(field: str, known: Mapping[str, Callable[..., Any]], config: Mapping[str, Any]) -> Any:
    """Calls the function that config['type'] names with the other fields of config."""
    options = dict(config)
    kind = options.pop("type")
    if kind not in known:
        raise UserError(f"config.{field}.type is {kind!r}; expected one of {', '.join(known)}")
    try:
        return known[kind](**options)
    except TypeError as error:
        raise UserError(f"config.{field} of type {kind!r}: {error}") from error
