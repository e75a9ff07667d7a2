"""The one exception that is meant for the person at the keyboard."""


class UserError(Exception):
    """Something the user can mend.

    The text names what was found, what was expected and what to do next; the commands print it as
    one line, without a traceback, and exit with code 1.
    """
