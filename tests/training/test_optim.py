"""Optimizers against PyTorch's formulas, written out in numpy."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from gaitjax.errors import UserError
from gaitjax.training import optim

MILESTONES = {"type": "multistep", "milestones": (3, 5), "gamma": 0.1}
STEPS, RATE, DECAY = 8, 0.05, 0.1
GRADIENTS = np.random.default_rng(0).normal(size=(STEPS, 4))
START = np.random.default_rng(1).normal(size=4)


def ours(kind: str, **options: float) -> np.ndarray:
    tx = optim.optimizer({"type": kind, "learning_rate": RATE, **options}, MILESTONES)
    params = jnp.asarray(START)
    state = tx.init(params)
    for gradient in GRADIENTS:
        updates, state = tx.update(jnp.asarray(gradient), state, params)
        params = optax.apply_updates(params, updates)
    return np.asarray(params)


def rates() -> list[float]:
    return [RATE * 0.1 ** sum(step >= m for m in (3, 5)) for step in range(STEPS)]


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd(momentum):
    w, velocity = START, np.zeros(4)
    for g, rate in zip(GRADIENTS, rates(), strict=True):
        velocity = momentum * velocity + g + DECAY * w
        w = w - rate * velocity
    found = ours("sgd", momentum=momentum, weight_decay=DECAY)
    np.testing.assert_allclose(found, w, rtol=1e-5)


@pytest.mark.parametrize("kind", ["adam", "adamw"])
def test_adam_and_adamw(kind):
    w, m, v = START, np.zeros(4), np.zeros(4)
    for t, (g, rate) in enumerate(zip(GRADIENTS, rates(), strict=True), 1):
        if kind == "adam":
            g = g + DECAY * w
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        decay = rate * DECAY * w if kind == "adamw" else 0
        w = w - decay - rate * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
    np.testing.assert_allclose(ours(kind, weight_decay=DECAY), w, rtol=1e-4)


def test_milestone_acts_from_its_step_on_and_twice_if_named_twice():
    rate = optim.schedule({"type": "multistep", "milestones": (2, 2, 4), "gamma": 0.5}, 1.0)
    found = [float(rate(step)) for step in range(6)]
    assert found == pytest.approx([1, 1, 0.25, 0.25, 0.125, 0.125])


GROUPS = (("b/*", {"learning_rate": 0.002}), ("*/bias", {"weight_decay": 0.0}))
SHAPES = {"a": {"kernel": (3, 2), "bias": (2,)}, "b": {"kernel": (2, 2), "bias": (2,)}}
OWN = {  # what GROUPS say of each: the first that matches counts
    ("a", "kernel"): {},
    ("a", "bias"): {"weight_decay": 0.0},
    ("b", "kernel"): {"lr": 0.002},
    ("b", "bias"): {"lr": 0.002},
}


def raise_low_rates(group, step):
    """GaitSSB's rule, before the step is taken."""
    if step % 3 == 0 and group["lr"] < 0.004:
        group["lr"] = 0.004


def follow_the_cosine(group, step):
    """SwinGait's rule, before the step is taken."""
    if step < 7 and step % 2 == 0:
        group["lr"] = max(group["initial_lr"] * (1 + np.cos(np.pi * step / 7)) / 2, 0.001)
    if step == 7:
        group["lr"] = 0.001


@pytest.mark.parametrize(
    ("schedule", "milestones", "rule"),
    [
        (MILESTONES, (3, 5), None),
        ({**MILESTONES, "floor": 0.004, "floor_every": 3}, (3, 5), raise_low_rates),
        (
            {"type": "stepped_cosine", "every": 2, "total": 7, "minimum": 0.001},
            (),
            follow_the_cosine,
        ),
    ],
)
@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_groups_step_as_pytorchs_do(kind, schedule, milestones, rule):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    start, *gradients = (
        {layer: {n: rng.normal(size=s) for n, s in x.items()} for layer, x in SHAPES.items()}
        for _ in range(11)
    )
    momentum = {"momentum": 0.9} if kind == "SGD" else {}

    theirs = {path: torch.tensor(start[path[0]][path[1]], requires_grad=True) for path in OWN}
    optimizer = getattr(torch.optim, kind)(
        [{"params": [theirs[path]], **own} for path, own in OWN.items()],
        lr=RATE,
        weight_decay=DECAY,
        **momentum,
    )
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, milestones, 0.1)
    config = {"type": kind.lower(), "learning_rate": RATE, "weight_decay": DECAY, **momentum}
    tx = optim.optimizer({**config, "groups": GROUPS}, schedule)
    with jax.enable_x64(True):
        ours = jax.tree.map(jnp.asarray, start)
        state = tx.init(ours)
        for step, gradient in enumerate(gradients):
            for group in optimizer.param_groups:
                if rule is not None:
                    rule(group, step)
            for (layer, name), x in theirs.items():
                x.grad = torch.tensor(gradient[layer][name])
            optimizer.step()
            scheduler.step()
            updates, state = tx.update(jax.tree.map(jnp.asarray, gradient), state, ours)
            ours = optax.apply_updates(ours, updates)
            for (layer, name), x in theirs.items():
                np.testing.assert_allclose(ours[layer][name], x.detach().numpy(), atol=1e-6)


@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW"])
def test_one_cycle_steps_as_pytorchs_does(kind, symmetric):
    torch = pytest.importorskip("torch")
    x = torch.tensor(START, requires_grad=True)
    momentum = {"momentum": 0.9} if kind == "SGD" else {}
    optimizer = getattr(torch.optim, kind)([x], lr=RATE, weight_decay=DECAY, **momentum)
    options = {"pct_start": 0.4, "div_factor": 10, "final_div_factor": 100}
    cycle = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, RATE, STEPS, three_phase=symmetric, **options
    )
    config = {"type": kind.lower(), "learning_rate": RATE, "weight_decay": DECAY, **momentum}
    schedule = {"type": "one_cycle", "total": STEPS, "rise": 0.4, "first": 10, "last": 100}
    tx = optim.optimizer(config, {**schedule, "symmetric": symmetric})
    with jax.enable_x64(True):
        ours = jnp.asarray(START)
        state = tx.init(ours)
        for gradient in GRADIENTS:
            x.grad = torch.tensor(gradient)
            optimizer.step()
            cycle.step()
            updates, state = tx.update(jnp.asarray(gradient), state, ours)
            ours = optax.apply_updates(ours, updates)
            np.testing.assert_allclose(ours, x.detach().numpy(), atol=1e-6)


def test_one_cycle_of_two_steps_is_finite():
    rate = optim.schedule({"type": "one_cycle", "total": 2}, 0.1)
    assert np.isfinite([rate(step) for step in range(3)]).all()


def test_a_cosine_keeps_its_digits_at_the_end():
    rate = optim.schedule({"type": "cosine", "total": 60_000, "minimum": 0.0}, 0.1)
    for step in (0, 30_000, 59_990):
        exact = 0.1 * (1 + np.cos(np.pi * step / 60_000)) / 2
        assert float(jax.jit(rate)(step)) == pytest.approx(exact, rel=1e-5)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"type": "lion"}, "'lion'.*sgd, adam, adamw"),
        ({"type": "sgd", "nesterov_typo": 1}, "config.optimizer.*'sgd'.*nesterov_typo"),
        (
            {"type": "sgd", "groups": (("a*", {"lr": 1}),)},
            r"groups: 'a\*' has lr; .* learning_rate",
        ),
    ],
)
def test_unknown_optimizers_and_options_are_refused(config, named):
    with pytest.raises(UserError, match=named):
        optim.optimizer({"learning_rate": 0.1, **config}, {"type": "constant"})


def test_unknown_schedule_is_refused():
    with pytest.raises(UserError, match="type is 'sine'; expected one of constant, multistep"):
        optim.schedule({"type": "sine"}, 0.1)
