"""A progress bar for work that takes a while."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")

WIDTH = 30


def bar(items: Iterable[T], total: int, label: str) -> Iterator[T]:
    """Yields the items and draws a bar on the standard error as they are done.

    On a terminal the bar is one line that is drawn anew; elsewhere, as in a log file, a line a
    tenth. Nothing is drawn of work that takes less than a second.

    Args:
        items: what is worked on.
        total: how many they are.
        label: what is being done, such as 'reading'.
    """
    start = time.monotonic()
    terminal = sys.stderr.isatty()
    drawn = start if terminal else 0.0
    for done, item in enumerate(items, 1):
        yield item
        now = time.monotonic()
        tenth = 10 * done // total
        due = now - drawn > 0.2 if terminal else tenth > drawn
        if now - start > 1 and (due or (done == total and terminal)):
            drawn = now if terminal else tenth
            _draw(label, done, total, now - start, terminal)


def _draw(label: str, done: int, total: int, seconds: float, terminal: bool) -> None:
    filled = WIDTH * done // total
    left = seconds * (total - done) / done
    text = f"{label} [{'#' * filled}{'.' * (WIDTH - filled)}] {done}/{total}, {left:.0f} s left"
    end = "\n" if done == total or not terminal else ""
    sys.stderr.write(("\r\x1b[K" if terminal else "") + text + end)
    sys.stderr.flush()
