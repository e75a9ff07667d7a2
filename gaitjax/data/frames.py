"""Which frames of a sequence a training batch holds: OpenGait's six ways of choosing them."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gaitjax.errors import UserError

SAMPLINGS = ("fixed", "unfixed", "all")
ORDERS = ("ordered", "unordered")


def choose(length: int, frames: Mapping[str, Any], rng: np.random.Generator) -> np.ndarray:
    """Draws the frames of one sequence.

    'all' takes every frame up to `limit`. 'fixed' draws `number` frames, 'unfixed' a number that is
    uniform in `minimum` to `maximum`: 'unordered' from the whole sequence and left in the order of
    the draw, 'ordered' from a window of that many and `skip` more consecutive frames, in their
    order. A sequence that is too short is drawn from with replacement ('unordered') or walked
    through again ('ordered').

    Args:
        length: how many frames the sequence has, at least 1.
        frames: the fields of `config.data.frames`.
        rng: where the draws come from.

    Returns:
        int [number], indices below `length`.

    Raises:
        UserError: as `check` does.
    """
    check(frames)
    if frames["sampling"] == "all":
        return np.arange(min(length, frames["limit"]))
    number = int(frames["number"])
    if frames["sampling"] == "unfixed":
        number = int(rng.integers(frames["minimum"], frames["maximum"] + 1))
    if frames["order"] == "unordered":
        return rng.choice(np.arange(length), number, replace=length < number)
    window = number + frames["skip"]
    repeated = length * math.ceil(window / length)  # at least the window, at least the sequence
    start = rng.integers(0, repeated - window + 1)
    return np.sort(rng.choice(np.arange(start, start + window), number, replace=False)) % length


def padded_length(frames: Mapping[str, Any]) -> int:
    """The number of frames T that every batch is padded to, so that it compiles once.

    Args:
        frames: the fields of `config.data.frames`.

    Raises:
        UserError: as `check` does.
    """
    check(frames)
    return int(
        frames[{"fixed": "number", "unfixed": "maximum", "all": "limit"}[frames["sampling"]]]
    )


def check(frames: Mapping[str, Any]) -> None:
    """Raises a UserError, naming the field, for words and numbers that mean nothing."""
    for field, known in (("sampling", SAMPLINGS), ("order", ORDERS)):
        if frames[field] not in known:
            raise UserError(
                f"config.data.frames.{field} is {frames[field]!r}; expected {' or '.join(known)}"
            )
    for field, least in (("number", 1), ("minimum", 1), ("limit", 1), ("skip", 0)):
        if frames[field] < least:
            raise UserError(
                f"config.data.frames.{field} is {frames[field]}; expected at least {least}"
            )
    if frames["minimum"] > frames["maximum"]:
        raise UserError(
            f"config.data.frames.minimum is {frames['minimum']}, more than the maximum "
            f"{frames['maximum']}; expected minimum <= maximum"
        )
