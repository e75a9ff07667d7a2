"""What is meant for the person at the keyboard: the one exception, and lists cut short in it."""

from collections.abc import Sequence

SHOWN = 4


class UserError(Exception):
    """Something the user can mend.

    The text names what was found, what was expected and what to do next; the commands print it as
    one line, without a traceback, and exit with code 1.
    """


def some(texts: Sequence[str], separator: str = ", ") -> str:
    """The first few of a list, for a message."""
    return separator.join([*texts[:SHOWN], *["..."] * (len(texts) > SHOWN)])
