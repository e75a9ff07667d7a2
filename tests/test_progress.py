"""A progress bar hands on what it is given, and is silent where it can be."""

import io
import itertools
import sys

from gaitjax import progress


def watched(monkeypatch, seconds: float, terminal: bool) -> tuple[list[int], str]:
    """Ten items, each of which takes so long."""
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: terminal)
    monkeypatch.setattr(sys, "stderr", stream)
    clock = itertools.count(0, seconds)
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    return list(progress.bar(range(10), 10, "reading")), stream.getvalue()


def test_quick_work_is_not_drawn(monkeypatch):
    for terminal in (True, False):
        assert watched(monkeypatch, 0.05, terminal) == (list(range(10)), "")


def test_a_log_gets_a_line_a_tenth(monkeypatch):
    items, text = watched(monkeypatch, 2, terminal=False)
    assert items == list(range(10))
    lines = text.splitlines()
    assert len(lines) == 10
    assert lines[4].startswith("reading [###############...............] 5/10, 10 s left")
    assert "\r" not in text


def test_a_terminal_gets_one_line_drawn_anew(monkeypatch):
    _, text = watched(monkeypatch, 2, terminal=True)
    assert text.count("\n") == 1
    assert text.endswith("10/10, 0 s left\n")
    assert text.count("\r") == 10
