"""Transforms: fixed ones, and random ones fed the numbers that OpenGait drew."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.data import augment

from . import tolerance
from .errors import UnsupportedError
from .tolerance import Comparison

FIXED = {
    "BaseSilTransform": augment.silhouette,
    "BaseSilCuttingTransform": augment.silhouette_cut,
    "BaseParsingCuttingTransform": augment.parsing_cut,
}
WARPS = ("RandomRotate", "RandomPerspective", "RandomAffine")
SOURCES = 0.04  # of frames of floats OpenCV takes sources in steps of 1/32 pixel; ours are exact


def check(name: str, case: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """One entry of the table.

    Args:
        name: of the entry.
        case: OpenGait's `transform` and `draws`, each (function, arguments, keywords, value).
        arrays: 'NAME/in' and 'NAME/out'.

    Ours may lack an option with which OpenGait raises.

    Raises:
        UnsupportedError: for a transform or another option that gaitjax does not have.
    """
    kind, options = case["transform"], {}
    if isinstance(kind, Mapping):
        options = dict(kind)
        kind = options.pop("type")
    if kind in FIXED:
        known = {"divsor", "cutting", "img_shape"}
    elif kind in RANDOM:
        known = {"prob", "top_range", "bot_range"}
    else:
        raise UnsupportedError(f"transform {kind}")
    unknown = sorted(set(options) - known)
    if unknown and "raises" in case:
        return [Comparison("refusal", f"(there is no option {unknown[0]})", 0.0, 0.0)]
    if unknown:
        raise UnsupportedError(f"option {unknown[0]} of transform {kind}")
    x = jnp.asarray(arrays[f"{name}/in"])
    ours = _fixed(kind, options, x) if kind in FIXED else _random(kind, options, x, case["draws"])
    rounded = kind in WARPS and x.dtype.kind == "f"
    limit = SOURCES if rounded else tolerance.output_limit(None)
    return [tolerance.array("frames", "", ours, arrays[f"{name}/out"], limit)]


def _fixed(kind: str, options: dict[str, Any], x: jax.Array) -> jax.Array:
    x = x.reshape(-1, *options.pop("img_shape", x.shape[1:]))
    named = {name.replace("divsor", "divisor"): value for name, value in options.items()}
    return FIXED[kind](x, len(x), **named)


def _random(kind: str, options: Mapping[str, Any], x: jax.Array, draws: list[Any]) -> jax.Array:
    decision, *values = (draw[-1] for draw in draws)
    return RANDOM[kind](x, *values) if decision < options["prob"] else x


def _flip(x: jax.Array) -> jax.Array:
    return augment.flip(jax.random.key(0), x)


def _erase(x: jax.Array, *values: float) -> jax.Array:
    area, aspect, top, left = values[-4:]  # of the last try: the others did not fit
    size = area * x.shape[1] * x.shape[2]
    height, width = round((size * aspect) ** 0.5), round((size / aspect) ** 0.5)
    return augment.blacken(x, top, left, height, width)


def _rotate(x: jax.Array, angle: float) -> jax.Array:
    return augment.warp(x, augment.rotation(jnp.asarray(angle), *x.shape[1:]))


def _perspective(x: jax.Array, *columns: int) -> jax.Array:
    corners = jnp.reshape(jnp.asarray(columns), (2, 2))
    return augment.warp(x, augment.trapezoid(corners, *x.shape[1:]))


def _affine(x: jax.Array, *shifts: int) -> jax.Array:
    moved = jnp.reshape(jnp.asarray(shifts), (2, 3, 2))
    return augment.warp(x, augment.triangle(moved, *x.shape[1:]))


def _dilate(x: jax.Array, shape: str, size: list[int], top: int, bottom: int) -> jax.Array:
    shape = {"RECT": "rectangle"}.get(shape, shape.lower())
    return augment.dilate_band(
        x, jnp.asarray(augment.structuring_element(shape, *size)), top, bottom
    )


RANDOM: dict[str, Callable[..., jax.Array]] = {
    "RandomHorizontalFlip": _flip,
    "RandomErasing": _erase,
    "RandomRotate": _rotate,
    "RandomPerspective": _perspective,
    "RandomAffine": _affine,
    "RandomPartDilate": _dilate,
    "RandomPartBlur": augment.blur_band,
}
