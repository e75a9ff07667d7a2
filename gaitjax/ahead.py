"""Work that threads do a little ahead of whoever needs it."""

import collections
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def ahead(function: Callable[[A], B], items: Iterable[A], threads: int) -> Iterator[B]:
    """Yields function(item) of every item, in order.

    At most 2 * threads results wait, however many items there are.

    Args:
        function: what the threads call, several at the same time.
        items: what it is called with.
        threads: how many there are.
    """
    pending: collections.deque[Future[B]] = collections.deque()
    with ThreadPoolExecutor(threads) as pool:
        for item in items:
            pending.append(pool.submit(function, item))
            if len(pending) == 2 * threads:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
