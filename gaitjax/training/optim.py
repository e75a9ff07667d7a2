"""Optimizers and schedules that step as PyTorch's do."""

import functools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from gaitjax.errors import UserError
from gaitjax.training import parameters

Group = tuple[str, Mapping[str, float]]
OTHERS = ""  # the group of what no pattern matches


class Scheduled(NamedTuple):
    """What a schedule changes.

    Attributes:
        rate: an optimizer's learning rate -> that of each step.
        momentum: of each step, where the schedule changes it: SGD's, and Adam's first decay rate.
    """

    rate: Callable[[float], optax.Schedule]
    momentum: optax.Schedule | None = None


Stepping = Callable[[optax.Schedule, optax.Schedule | None], optax.GradientTransformation]


def schedule(config: Mapping[str, Any], learning_rate: float) -> optax.Schedule:
    """The learning rate by step.

    Args:
        config: 'type', one of SCHEDULES, and its options.
        learning_rate: at step 0; of a 'one_cycle' the largest.

    Raises:
        UserError: for an unknown type or option.
    """
    scheduled: Scheduled = _named("schedule", SCHEDULES, config)
    return scheduled.rate(learning_rate)


def momentum(config: Mapping[str, Any]) -> optax.Schedule | None:
    """The momentum by step, None where the schedule leaves it to the optimizer.

    Args:
        config: as for `schedule`.

    Raises:
        UserError: for an unknown type or option.
    """
    scheduled: Scheduled = _named("schedule", SCHEDULES, config)
    return scheduled.momentum


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
        stepping: Stepping = _named("optimizer", OPTIMIZERS, merged)
        return stepping(rate, momentum(schedule_config))

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
    return Scheduled(lambda rate: optax.constant_schedule(rate))


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

    return Scheduled(scheduled)


def _cosine(total: int, minimum: float = 0.0) -> Scheduled:
    """Half a cosine, down to `minimum` at step `total` and up again after it.

    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.
    """
    return Scheduled(
        lambda rate: lambda step: minimum + (rate - minimum) * _half_cosine(step, total)
    )


def _stepped_cosine(every: int, total: int, minimum: float) -> Scheduled:
    """Half a cosine to 0 at step `total`, of which the value of every so many steps holds.

    No rate is below `minimum`, which is the rate from `total` on.
    """

    def scheduled(learning_rate: float) -> optax.Schedule:
        def rate(step: Any) -> Any:
            falling = learning_rate * _half_cosine(step // every * every, total)
            return jnp.where(step < total, jnp.maximum(falling, minimum), minimum)

        return rate

    return Scheduled(scheduled)


def _one_cycle(
    total: int,
    rise: float = 0.3,
    first: float = 25.0,
    last: float = 1e4,
    symmetric: bool = False,
    momenta: tuple[float, float] = (0.85, 0.95),
) -> Scheduled:
    """Half a cosine up to the learning rate, half a cosine down; momentum does the reverse.

    Smith and Topin, "Super-convergence", 2019, as PyTorch steps it: the rate begins at that of the
    optimizer divided by `first`, reaches it after a share `rise` of the steps, and ends at its
    beginning divided by `last`; momentum goes from the larger of `momenta` to the smaller and back.
    A symmetric cycle is as long in going down to its beginning, and goes on from there.
    """
    peak = max(rise * total - 1, 0)
    small, large = momenta
    ends = (0, peak, *([2 * peak] if symmetric else []), total - 1)
    cycled = (large, small, *([large] if symmetric else []), large)

    def scheduled(learning_rate: float) -> optax.Schedule:
        start = learning_rate / first
        rates = (start, learning_rate, *([start] if symmetric else []), start / last)
        return _half_cosines(ends, rates)

    return Scheduled(scheduled, _half_cosines(ends, cycled))


def _half_cosines(steps: Sequence[float], values: Sequence[float]) -> optax.Schedule:
    """From value to value, each reached at its step, along half cosines."""

    def scheduled(step: Any) -> Any:
        result = jnp.asarray(values[0])
        phases = zip(steps, steps[1:], values, values[1:], strict=False)
        for start, end, before, after in phases:
            left = _half_cosine(step - start, max(end - start, 1))
            result = jnp.where(step > start, after + (before - after) * left, result)
        return result

    return scheduled


def _half_cosine(step: Any, total: float) -> Any:
    """(1 + cos(pi step / total)) / 2, without losing the digits of the small values at the end."""
    return jnp.sin(math.pi / 2 * ((total - step) / total)) ** 2


def _sgd(momentum: float = 0.0, weight_decay: float = 0.0) -> Stepping:
    """PyTorch adds the decay to the gradient before the momentum."""

    def stepping(
        rate: optax.Schedule, cycled: optax.Schedule | None
    ) -> optax.GradientTransformation:
        if cycled is None:
            step = optax.sgd(rate, momentum or None)
        else:
            step = optax.inject_hyperparams(optax.sgd)(rate, cycled)
        return optax.chain(optax.add_decayed_weights(weight_decay), step)

    return stepping


def _adam(weight_decay: float = 0.0, momentum: float = 0.0) -> Stepping:
    """The decay is part of the gradient, not decoupled (that is AdamW).

    Momentum is SGD's alone; it is taken so that a config can change its type and nothing else.
    """
    return lambda rate, cycled: optax.chain(
        optax.add_decayed_weights(weight_decay), _with_decay_rate(optax.adam, rate, cycled)
    )


def _adamw(weight_decay: float = 0.01, momentum: float = 0.0) -> Stepping:
    adamw = functools.partial(optax.adamw, weight_decay=weight_decay)
    return lambda rate, cycled: _with_decay_rate(adamw, rate, cycled)


def _with_decay_rate(
    kind: Callable[..., optax.GradientTransformation],
    rate: optax.Schedule,
    cycled: optax.Schedule | None,
) -> optax.GradientTransformation:
    """An optimizer of Adam's kind; its first decay rate by step, where it is cycled."""
    if cycled is None:
        return kind(rate)
    return optax.inject_hyperparams(kind, static_args=("b2", "eps", "eps_root"))(rate, b1=cycled)


SCHEDULES: dict[str, Callable[..., Scheduled]] = {
    "constant": _constant,
    "multistep": _multistep,
    "cosine": _cosine,
    "stepped_cosine": _stepped_cosine,
    "one_cycle": _one_cycle,
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
