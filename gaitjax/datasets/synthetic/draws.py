"""Traits: numbers drawn from ranges, and the random generators that they are drawn with."""

from collections.abc import Mapping

import numpy as np

Ranges = Mapping[str, tuple[float, float]]
Traits = dict[str, float]


def generator(seed: int, *names: str) -> np.random.Generator:
    """The random generator of whatever the names stand for: the same on every call.

    Args:
        seed: of the whole dataset.
        names: from the general to the special, such as '001', 'nm-01', '090'.
    """
    path = [byte for name in names for byte in (*name.encode(), 0)]
    return np.random.default_rng([seed, *path])


def draw(rng: np.random.Generator, ranges: Ranges) -> Traits:
    """One value a trait, anywhere in its range with the same chance."""
    return {name: float(rng.uniform(low, high)) for name, (low, high) in ranges.items()}


def vary(rng: np.random.Generator, traits: Traits, ranges: Ranges, share: float) -> Traits:
    """The traits, each moved by at most `share` of the width of its range."""
    return {
        name: value + share * (ranges[name][1] - ranges[name][0]) * float(rng.uniform(-1, 1))
        for name, value in traits.items()
    }
