"""Which frames of a sequence a training batch holds: OpenGait's six ways of choosing them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gaitjax.errors import UserError

SAMPLINGS = ("fixed", "unfixed", "all")
ORDERS = ("ordered", "unordered")


def choose(length: int, frames: Mapping[str, Any], draws: Sequence[float]) -> np.ndarray:
    """The frames of one sequence that some draws stand for.

    'all' takes every frame up to `limit`. 'fixed' draws `number` frames, 'unfixed' a number that is
    uniform in `minimum` to `maximum`: 'unordered' from the whole sequence and left in the order of
    the draw, 'ordered' from a window of that many and `skip` more consecutive frames, in their
    order. A sequence that is too short is drawn from with replacement ('unordered') or walked
    through again ('ordered').

    Args:
        length: how many frames the sequence has, at least 1.
        frames: the fields of `config.data.frames`.
        draws: `draws_needed` numbers, uniform in [0, 1): the first stands for the number of frames,
            the second for the window's start, the others for one frame each.

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
        span = frames["maximum"] - frames["minimum"] + 1
        number = int(frames["minimum"] + draws[0] * span)
    if frames["order"] == "unordered":
        if length < number:
            return np.array([int(draw * length) for draw in draws[2 : 2 + number]])
        return np.array(_shuffled(length, number, draws[2:]))
    window = number + frames["skip"]
    repeated = length * math.ceil(window / length)  # at least the window, at least the sequence
    start = int(draws[1] * (repeated - window + 1))
    return (start + np.sort(_shuffled(window, number, draws[2:]))) % length


def draws_needed(frames: Mapping[str, Any]) -> int:
    """How many draws `choose` needs, whatever the length of the sequence.

    Raises:
        UserError: as `check` does.
    """
    return 0 if frames["sampling"] == "all" else 2 + padded_length(frames)


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


def _shuffled(length: int, number: int, draws: Sequence[float]) -> list[int]:
    """The first `number` of 0 to length - 1 in random order (Fisher and Yates)."""
    order = list(range(length))
    for place in range(number):
        other = place + int(draws[place] * (length - place))
        order[place], order[other] = order[other], order[place]
    return order[:number]
