"""Optimizers and schedules that step as PyTorch's do."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import optax

from gaitjax.errors import UserError
from gaitjax.training import parameters

Group = tuple[str, Mapping[str, float]]
OTHERS = ""  # the group of what no pattern matches
Scheduled = Callable[[float], optax.Schedule]  # learning rate at step 0 -> that of each step


def schedule(config: Mapping[str, Any], learning_rate: float) -> optax.Schedule:
    """The learning rate by step.

    Args:
        config: 'type', one of SCHEDULES, and its options.
        learning_rate: at step 0.

    Raises:
        UserError: for an unknown type or option.
    """
    scheduled: Scheduled = _named("schedule", SCHEDULES, config)
    return scheduled(learning_rate)


def optimizer(
    config: Mapping[str, Any], schedule_config: Mapping[str, Any]
) -> optax.GradientTransformation:
    """An optimizer under a schedule.

    Its first use on parameters raises a UserError if a group has none.

    Args:
        config: 'type', one of OPTIMIZERS; `learning_rate`; that type's options; `groups`: (shell
            pattern of parameter paths, {'learning_rate': ..., 'weight_decay': ...}), of which the
            first that matches counts, and what it leaves out is as for all others.
        schedule_config: config.schedule; it changes every group's own rate.

    Raises:
        UserError: for an unknown type or option.
    """
    options = dict(config)
    groups: Sequence[Group] = options.pop("groups", ())
    for pattern, own in groups:
        if unknown := sorted(set(own) - {"learning_rate", "weight_decay"}):
            raise UserError(
                f"config.optimizer.groups: {pattern!r} has {', '.join(unknown)}; a group has "
                "learning_rate, weight_decay or both"
            )

    def build(own: Mapping[str, Any]) -> optax.GradientTransformation:
        merged = {**options, **own}
        rate = schedule(schedule_config, merged.pop("learning_rate"))
        tx: optax.GradientTransformation = _named("optimizer", OPTIMIZERS, merged)(rate)
        return tx

    if not groups:
        return build({})
    patterns = [pattern for pattern, _ in groups]
    grouped = {OTHERS: build({}), **{pattern: build(own) for pattern, own in reversed(groups)}}
    return optax.partition(grouped, lambda params: _labels(params, patterns))


def _labels(params: Any, patterns: Sequence[str]) -> Any:
    """The pattern of the group that each parameter belongs to.

    Raises:
        UserError: for a pattern that matches no parameter that is trained.
    """
    paths = [_path(keys) for keys, _ in jax.tree.leaves_with_path(params)]
    parameters.check("config.optimizer.groups", patterns, paths)
    return jax.tree.map_with_path(
        lambda keys, _: parameters.first_match(patterns, _path(keys)) or OTHERS, params
    )


def _path(keys: Any) -> str:
    return jax.tree_util.keystr(keys, simple=True, separator="/")


def _constant() -> Scheduled:
    return lambda rate: optax.constant_schedule(rate)


def _multistep(
    milestones: tuple[int, ...], gamma: float, floor: float = 0.0, floor_every: int = 0
) -> Scheduled:
    """The rate is multiplied by gamma at every milestone; one that is named twice counts twice.

    At every multiple of `floor_every` a rate below `floor` is raised to it, and goes on from there.
    """
    if not all(isinstance(step, int) for step in milestones):
        raise UserError(
            f"config.schedule.milestones is {milestones}; expected steps, whole numbers"
        )
    last = max(milestones, default=0)
    raised = range(0, last + floor_every, floor_every) if floor_every else ()
    steps = sorted({0, *milestones, *raised})

    def scheduled(learning_rate: float) -> optax.Schedule:
        rates = []
        for step in steps:
            learning_rate *= gamma ** milestones.count(step)
            if step in raised:
                learning_rate = max(learning_rate, floor)
            rates.append(learning_rate)
        return lambda step: jnp.asarray(rates)[jnp.sum(step >= jnp.asarray(steps)) - 1]

    return scheduled


def _cosine(total: int, minimum: float = 0.0) -> Scheduled:
    """Half a cosine, down to `minimum` at step `total` and up again after it.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """
    return lambda rate: lambda step: minimum + (rate - minimum) * _half_cosine(step, total)


def _stepped_cosine(every: int, total: int, minimum: float) -> Scheduled:
    """Half a cosine to 0 at step `total`, of which the value of every so many steps holds.

    No rate is below `minimum`, which is the rate from `total` on.
    """

    def scheduled(learning_rate: float) -> optax.Schedule:
        def rate(step: Any) -> Any:
            falling = learning_rate * _half_cosine(step // every * every, total)
            return jnp.where(step < total, jnp.maximum(falling, minimum), minimum)

        return rate

    return scheduled


def _half_cosine(step: Any, total: int) -> Any:
    """(1 + cos(pi step / total)) / 2, without losing the digits of the small values at the end."""
    return jnp.sin(math.pi / 2 * ((total - step) / total)) ** 2


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


SCHEDULES: dict[str, Callable[..., Scheduled]] = {
    "constant": _constant,
    "multistep": _multistep,
    "cosine": _cosine,
    "stepped_cosine": _stepped_cosine,
}
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
