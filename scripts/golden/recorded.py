"""Numbers that OpenGait drew, in the place of a generator."""

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

Size = int | tuple[int, ...] | None


class Recorded:
    """As `numpy.random.Generator`, but for where its numbers come from: one after another."""

    def __init__(self, draws: Iterable[Any]) -> None:
        """Takes numbers and arrays of numbers, in the order of their use."""
        self._numbers = [number for draw in draws for number in np.ravel(draw).tolist()]

    @property
    def left(self) -> int:
        """How many numbers nobody asked for."""
        return len(self._numbers)

    def random(self, size: Size = None) -> Any:
        """The next numbers."""
        return self._take(size)

    def integers(self, low: Any, high: Any, size: Size = None) -> Any:
        """The next numbers, which have to lie within the bounds."""
        taken = self._take(size)
        assert np.all((np.asarray(low) <= taken) & (taken < np.asarray(high)))
        return taken

    def uniform(self, low: Any, high: Any, size: Size = None) -> Any:
        """The next numbers, as many as there are bounds where no size is given."""
        return self._take(np.broadcast(low, high).shape if size is None else size)

    def normal(self, mean: Any, deviation: Any, size: Size = None) -> Any:
        """The next numbers."""
        return self._take(size)

    def permutation(self, length: int) -> Any:
        """The next numbers."""
        return self._take(length)

    def choice(self, a: Any, size: int, replace: bool = True) -> Any:
        """The next numbers, which have to be of `a`."""
        taken = self._take(size)
        assert set(taken.tolist()) <= set(np.asarray(a).tolist())
        return taken

    def _take(self, size: Size) -> Any:
        shape = () if size is None else (size,) if isinstance(size, int) else tuple(size)
        number = math.prod(shape)
        taken, self._numbers = self._numbers[:number], self._numbers[number:]
        return np.array(taken).reshape(shape) if shape else taken[0]
