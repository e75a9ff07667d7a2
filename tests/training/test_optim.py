"""Optimizers against PyTorch's formulas, written out in numpy."""

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


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"type": "lion"}, "'lion'.*sgd, adam, adamw"),
        ({"type": "sgd", "nesterov_typo": 1}, "config.optimizer.*'sgd'.*nesterov_typo"),
    ],
)
def test_unknown_optimizers_and_options_are_refused(config, named):
    with pytest.raises(UserError, match=named):
        optim.optimizer({"learning_rate": 0.1, **config}, {"type": "constant"})


def test_unknown_schedule_is_refused():
    with pytest.raises(UserError, match="type is 'sine'; expected one of constant, multistep"):
        optim.schedule({"type": "sine"}, 0.1)
