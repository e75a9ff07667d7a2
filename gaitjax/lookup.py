"""Networks, datasets and losses are found by the name of their file: there is no registry."""

import importlib
import pkgutil
from types import ModuleType

from gaitjax.errors import UserError


def module(package: str, name: str) -> ModuleType:
    """Imports `package.name`, or `name` itself when it is a dotted path outside the package.

    Args:
        package: where our own files lie, such as `gaitjax.models`.
        name: a file's name without `.py`, such as `gaitset`, or a user's `mylab.mynet`.

    Raises:
        UserError: if there is no such file; lists the names that exist.
    """
    path = name if "." in name else f"{package}.{name}"
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is None or not (path == error.name or path.startswith(f"{error.name}.")):
            raise  # the file exists, something that it imports does not
    known = sorted(m.name for m in pkgutil.iter_modules(importlib.import_module(package).__path__))
    raise UserError(
        f"{package} has no {name!r}; it has {', '.join(known)}. "
        "A file of your own is given by its dotted path, such as mylab.mynet."
    )
