"""Optimizers and schedules: trajectories on a quadratic, and learning rates by step."""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from gaitjax.errors import UserError
from gaitjax.models import foundationgait_pretrain
from gaitjax.training import optim

from . import tolerance
from .errors import UnsupportedError
from .tolerance import Comparison

Case = Mapping[str, Any]
BETA1 = 0.9  # of Adam and AdamW, in PyTorch and Optax alike
LIMIT = tolerance.output_limit(None)


def checks(table: Case) -> dict[str, Callable[[], list[Comparison]]]:
    """'SECTION/NUMBER_OPTIMIZER_SCHEDULE' -> check, of every entry of a table.

    Args:
        table: the quadratic x A x / 2 - b x, from x0 (`A`, `b`, `x0`), and sections: lists of
            entries, but for `ema`, which is one.
    """
    compare = {"quadratic": quadratic, "schedules": schedule, "together": together}
    found = {"ema": functools.partial(moving_average, table["ema"])} if "ema" in table else {}
    for section in sorted(set(table) - {"kind", "notes", "A", "b", "x0", "ema"}):
        if section not in compare:
            found[section] = functools.partial(_unknown, section)
            continue
        for number, case in enumerate(table[section]):
            names = (
                case["optimizer_cfg"]["solver"],
                case.get("scheduler_cfg", {}).get("scheduler"),
            )
            name = "_".join([str(number), *filter(None, names)])
            found[f"{section}/{name}"] = functools.partial(compare[section], case, table)
    return found


def quadratic(case: Case, table: Case) -> list[Comparison]:
    """A trajectory at a constant rate.

    Raises:
        UnsupportedError: for an optimizer or option that gaitjax does not have.
    """
    tx = _optimizer(case["optimizer_cfg"], {"type": "constant"})
    params, losses = _trajectory(tx, table, len(case["params"]))
    return [
        tolerance.array("params", "", params, case["params"], LIMIT),
        tolerance.array("loss", "", losses, case["loss_before_step"], LIMIT),
    ]


def schedule(case: Case, table: Case) -> list[Comparison]:
    """Learning rate and momentum by step.

    Raises:
        UnsupportedError: for an optimizer, schedule or option that gaitjax does not have.
    """
    rates = _schedule(case["scheduler_cfg"])
    _optimizer(_peaked(case), rates)
    momentum = case["momentum_or_beta1"]
    return _by_step(rates, case, case["iterations"], case["lr"], momentum)


def together(case: Case, table: Case) -> list[Comparison]:
    """A trajectory under a schedule.

    Raises:
        UnsupportedError: for an optimizer, schedule or option that gaitjax does not have.
    """
    rates = _schedule(case["scheduler_cfg"])
    steps = range(len(case["params"]))
    params, _ = _trajectory(_optimizer(_peaked(case), rates), table, len(steps))
    momentum = case["momentum_or_beta1_used"]
    return [
        tolerance.array("params", "", params, case["params"], LIMIT),
        *_by_step(rates, case, steps, case["lr_used"], momentum),
    ]


def moving_average(case: Case) -> list[Comparison]:
    """How far FoundationGait's teacher goes towards its student in a step, of the whole way."""
    model = foundationgait_pretrain.Model(
        {}, momentum=case["start_value"], steps=case["total_iter"]
    )
    params = {"teacher": jnp.zeros(()), "student": jnp.ones(())}
    moved = [model.after_step(params, jnp.asarray(step))["teacher"] for step in case["steps"]]
    return [tolerance.array("way", "", moved, 1 - np.array(case["m"]), LIMIT)]


def _by_step(
    rates: Case,
    case: Case,
    steps: Sequence[int],
    expected: Sequence[float],
    momentum: Sequence[float],
) -> list[Comparison]:
    """Every rate for itself, so that the small ones count as much as the large ones."""
    config = _peaked(case)
    ours = jax.vmap(optim.schedule(rates, config["lr"]))(jnp.asarray(steps))
    own = config.get("momentum", 0.0) if config["solver"] == "SGD" else BETA1
    cycled = optim.momentum(rates) or optax.constant_schedule(own)
    return [
        *(
            tolerance.array("rates", f"step {step}", ours[i], expected[i], LIMIT)
            for i, step in enumerate(steps)
        ),
        tolerance.array("momentum", "", [cycled(step) for step in steps], momentum, LIMIT),
    ]


@functools.partial(jax.jit, static_argnames=("transformation", "steps"))
def _descend(
    transformation: optax.GradientTransformation,
    matrix: jax.Array,
    vector: jax.Array,
    x: jax.Array,
    steps: int,
) -> tuple[jax.Array, jax.Array]:
    def step(carry: Any, _: None) -> Any:
        x, state = carry
        updates, state = transformation.update(matrix @ x - vector, state, x)
        moved = optax.apply_updates(x, updates)
        return (moved, state), (moved, x @ matrix @ x / 2 - vector @ x)

    return jax.lax.scan(step, (x, transformation.init(x)), length=steps)[1]


def _trajectory(
    transformation: optax.GradientTransformation, table: Case, steps: int
) -> tuple[jax.Array, jax.Array]:
    """Parameters after, and loss before, every step."""
    problem = (jnp.asarray(table[name], jnp.float32) for name in ("A", "b", "x0"))
    return _descend(transformation, *problem, steps)


def _peaked(case: Case) -> Case:
    """OpenGait's optimizer_cfg, whose learning rate is that of a OneCycleLR if there is one."""
    config = case["optimizer_cfg"]
    return {**config, "lr": case["scheduler_cfg"].get("max_lr", config["lr"])}


def _optimizer(config: Case, rates: Case) -> optax.GradientTransformation:
    options = dict(config)
    kind, learning_rate = options.pop("solver").lower(), options.pop("lr")
    if kind != "sgd":
        options.pop("momentum", None)  # OpenGait drops what PyTorch's class does not take
    try:
        return optim.optimizer({"type": kind, "learning_rate": learning_rate, **options}, rates)
    except UserError as error:
        raise UnsupportedError(f"optimizer {config['solver']}: {error}") from error


def _schedule(config: Case) -> Case:
    """Our config.schedule for OpenGait's scheduler_cfg."""
    if config["scheduler"] == "MultiStepLR":
        milestones = tuple(config["milestones"])
        return {"type": "multistep", "milestones": milestones, "gamma": config.get("gamma", 0.1)}
    if config["scheduler"] == "CosineAnnealingLR":
        return {"type": "cosine", "total": config["T_max"], "minimum": config.get("eta_min", 0.0)}
    if config["scheduler"] == "OneCycleLR":
        named = {
            "pct_start": "rise",
            "div_factor": "first",
            "final_div_factor": "last",
            "three_phase": "symmetric",
        }
        options = {ours: config[theirs] for theirs, ours in named.items() if theirs in config}
        return {"type": "one_cycle", "total": config["total_steps"], **options}
    raise UnsupportedError(f"schedule {config['scheduler']}")


def _unknown(section: str, /) -> list[Comparison]:
    raise UnsupportedError(f"optimizer table {section}")
