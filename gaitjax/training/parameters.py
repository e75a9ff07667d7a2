"""Parameters by the patterns that a config names them with, and what tells them from others."""

import difflib
import fnmatch
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from flax import traverse_util

from gaitjax.errors import UserError


def split(params: Mapping[str, Any], freeze: Sequence[str]) -> tuple[dict[str, Any], Any]:
    """Splits nested parameters into those that are trained and those that are not.

    Args:
        params: of a network.
        freeze: shell patterns (`fnmatch`) of the paths of those that are not.

    Raises:
        UserError: for a pattern that matches none.
    """
    flat = traverse_util.flatten_dict(params, sep="/")
    check("config.freeze", freeze, flat)
    frozen = {path for path in flat if first_match(freeze, path) is not None}
    trained = {path: x for path, x in flat.items() if path not in frozen}
    return _nested(trained), _nested({path: flat[path] for path in frozen})


def merge(params: Mapping[str, Any], others: Mapping[str, Any]) -> dict[str, Any]:
    """Both of two nested dicts of arrays; where they share a path, `others` counts."""
    flat = [traverse_util.flatten_dict(tree, sep="/") for tree in (params, others)]
    return _nested(flat[0] | flat[1])


def first_match(patterns: Iterable[str], path: str) -> str | None:
    """The first pattern that matches a path such as 'head/kernel', None if none does."""
    return next((p for p in patterns if fnmatch.fnmatchcase(path, p)), None)


def check(field: str, patterns: Iterable[str], paths: Iterable[str]) -> None:
    """Refuses a pattern that matches nothing.

    Args:
        field: of the config, for the error.
        patterns: shell patterns.
        paths: what they are to match.

    Raises:
        UserError: lists the paths that look like the pattern.
    """
    paths = list(paths)
    for pattern in patterns:
        if not fnmatch.filter(paths, pattern):
            near = ", ".join(difflib.get_close_matches(pattern, paths, n=4, cutoff=0.0))
            raise UserError(f"{field}: {pattern!r} matches no parameter; near are {near or 'none'}")


def fingerprint(variables: Mapping[str, Any]) -> str:
    """A short hash of names, types, shapes and values.

    Args:
        variables: nested arrays, such as parameters and statistics, that this process has whole.

    Returns:
        16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for path, x in sorted(traverse_util.flatten_dict(variables, sep="/").items()):
        array = np.asarray(x)
        digest.update(f"{path} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:16]


def _nested(flat: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = traverse_util.unflatten_dict(flat, sep="/")
    return tree
