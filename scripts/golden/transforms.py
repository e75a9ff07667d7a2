"""Transforms: fixed ones, and random ones fed the numbers that OpenGait drew."""

import pickle
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.data import augment
from gaitjax.data import transforms as host
from gaitjax.datasets import sustech1k

from . import tolerance
from .errors import SkippedError, UnsupportedError
from .recorded import Recorded
from .tolerance import Comparison

Options = dict[str, Any]

FIXED = {
    "BaseSilTransform": augment.silhouette,
    "BaseSilCuttingTransform": augment.silhouette_cut,
    "BaseParsingCuttingTransform": augment.parsing_cut,
}
WARPS = ("RandomRotate", "RandomPerspective", "RandomAffine")
EXACT = 1e-6
SOURCES = 0.04  # of frames of floats OpenCV takes sources in steps of 1/32 pixel; ours are exact
LAYOUT = "it only orders axes; ours are in one order, channels last"
NOTHING = {
    "NoOperation": "there is nothing to compute",
    "Rearrange": LAYOUT,
    "GaitGraph1Input": LAYOUT,
    "SkeletonInput": LAYOUT,
}


def check(name: str, case: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """One entry of the table.

    Args:
        name: of the entry.
        case: OpenGait's `transform` and `draws`, each (function, arguments, keywords, value).
        arrays: 'NAME/in', 'NAME/out' and large values.

    Raises:
        UnsupportedError: for a transform or an option that gaitjax does not have.
        SkippedError: where there is nothing to compare.
    """
    kind, options = case["transform"], {}
    if isinstance(kind, Mapping):
        options = dict(kind)
        kind = options.pop("type")
    if kind in NOTHING:
        raise SkippedError(NOTHING[kind])
    if "raises" in case:
        raise SkippedError(f"OpenGait breaks with a {case['raises']}, ours does not")
    x, expected = arrays[f"{name}/in"], arrays[f"{name}/out"]
    values = [_value(draw[-1], arrays) for draw in case["draws"]]
    if kind in HOST:
        drawn = Recorded(values)
        ours = HOST[kind](drawn, x, options)
        unused = tolerance.exact("draws", "not used", drawn.left, 0)
        return [tolerance.array("frames", "", ours, expected, EXACT), unused]
    ours = _on_device(kind, options, jnp.asarray(x), values)
    limit = SOURCES if kind in WARPS and x.dtype.kind == "f" else EXACT
    return [tolerance.array("frames", "", ours, expected, limit)]


def _value(value: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    return arrays[value["npz"]] if isinstance(value, Mapping) else value


def _on_device(kind: str, options: Options, x: jax.Array, values: list[Any]) -> jax.Array:
    if kind in FIXED:
        return _fixed(kind, options, x)
    if kind not in RANDOM:
        raise UnsupportedError(f"transform {kind}")
    unknown = sorted(set(options) - {"prob", "top_range", "bot_range", "per_frame"})
    if unknown:
        raise UnsupportedError(f"option {unknown[0]} of transform {kind}")
    if options.get("per_frame"):
        return _untouched(RANDOM[kind][0], options, x, values)
    decision, *drawn = values
    return RANDOM[kind][1](x, *drawn) if decision < options["prob"] else x


def _fixed(kind: str, options: Options, x: jax.Array) -> jax.Array:
    x = x.reshape(-1, *options.pop("img_shape", x.shape[1:]))
    named = {name.replace("divsor", "divisor"): value for name, value in options.items()}
    return FIXED[kind](x, len(x), **named)


def _untouched(name: str, options: Options, x: jax.Array, decisions: list[float]) -> jax.Array:
    """Decided for each frame, and always against it, as at a probability of 0."""
    if min(decisions) < options["prob"]:
        raise UnsupportedError(f"draws of {name} for each frame")
    listed = [{"type": name, "probability": 0.0, "per_frame": True}]
    lengths = jnp.array([len(x)])
    return augment.apply({"x": x[None]}, lengths, {"x": listed}, jax.random.key(0))["x"][0]


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


# OpenGait's name -> ours, and a function of the frames and what was drawn for them.
RANDOM: dict[str, tuple[str, Callable[..., jax.Array]]] = {
    "RandomHorizontalFlip": ("flip", _flip),
    "RandomErasing": ("erase", _erase),
    "RandomRotate": ("rotate", _rotate),
    "RandomPerspective": ("perspective", _perspective),
    "RandomAffine": ("affine", _affine),
    "RandomPartDilate": ("dilate", _dilate),
    "RandomPartBlur": ("blur", augment.blur_band),
}


def _rgb(rng: Recorded, x: np.ndarray, options: Options) -> Any:
    known = {"mean": [0, 0, 0], "std": [255, 255, 255]}
    if options not in ({}, known):
        raise UnsupportedError("other colours than ImageNet's, or none, of BaseRgbTransform")
    colours = jnp.moveaxis(jnp.asarray(x), 1, -1)
    function = augment.silhouette if options else augment.rgb
    return jnp.moveaxis(function(colours, len(colours)), -1, 1)


def _ratio(rng: Recorded, x: np.ndarray, options: Options) -> np.ndarray:
    return sustech1k.ratio("", pickle.dumps(x), 64)


def _skeleton(options: Options) -> str:
    return "coco" if options.get("joint_format", "coco") == "coco" else "openpose"


def _pose_streams(rng: Recorded, x: np.ndarray, options: Options) -> np.ndarray:
    centre = options.get("center", 0)
    return host.pose_streams(x, skeleton=_skeleton(options), centre=centre, confidence_channel=3)


def _swap_sides(rng: Any, x: np.ndarray, options: Options) -> np.ndarray:
    return host.swap_sides(
        rng,
        x,
        skeleton=_skeleton(options),
        probability=options["probability"],
        per_frame=True,
    )


def _two_views(rng: Recorded, x: np.ndarray, options: Options) -> np.ndarray:
    """Two rows of ours, joined in time and laid out as GaitGraph1Input does."""
    inner, layout = options["trf_cfg"]
    assert layout["type"] == "GaitGraph1Input"
    views = [HOST[inner["type"]](rng, x, inner) for _ in range(2)]
    return np.concatenate(views).transpose(2, 0, 1)[..., None]


AUGMENTATIONS: tuple[tuple[str, Callable[..., np.ndarray], Options], ...] = (
    ("flip_prob", host.flip_points, {}),
    ("shift_prob", host.shift_points, {"per_point": True}),
    ("jit_prob", host.jitter_points, {}),
    ("scale_prob", host.scale_points, {}),
    ("drop_prob", host.drop_points, {}),
)


def _clouds(rng: Any, x: np.ndarray, options: Options) -> np.ndarray:
    """PointCloudsTransform, as the list of transforms that it is."""
    x = host.normalise_points(
        x[..., :3] if options["xyz_only"] else x, heights=options["scale_aware"]
    )
    for option, function, further in AUGMENTATIONS:
        if option in options:
            x = function(rng, x, probability=options[option], **further)
    return x


# OpenGait's name -> f(generator, x, its options). Functions of clouds act at a probability of 1.
HOST: dict[str, Callable[..., Any]] = {
    "BaseRgbTransform": _rgb,
    "RatioHW": _ratio,
    "NormalizeEmpty": lambda rng, x, options: host.fill_missing(x, count_missing=True),
    "MSGGTransform": lambda rng, x, options: host.choose_joints(
        x, joints=host.LIMBS[_skeleton(options)]
    ),
    "GaitTRMultiInput": lambda rng, x, options: host.pose_channels(x, skeleton=_skeleton(options)),
    "GaitGraphMultiInput": _pose_streams,
    "SelectSequenceCenter": lambda rng, x, options: host.centre_window(
        x, number=options["sequence_length"]
    ),
    "RandomSelectSequence": lambda rng, x, options: host.random_window(
        rng, x, number=options["sequence_length"]
    ),
    "TwoView": _two_views,
    "FlipSequence": lambda rng, x, options: host.reverse(rng, x, **options),
    "MirrorPoses": lambda rng, x, options: host.mirror(rng, x, probability=options["prob"]),
    "InversePosesPre": _swap_sides,
    "RandomMove": lambda rng, x, options: host.move(rng, x, reach=options["random_r"]),
    "JointNoise": lambda rng, x, options: host.joint_noise(rng, x, **options),
    "PointNoise": lambda rng, x, options: host.point_noise(rng, x, confidence=True, **options),
    "PointCloudsTransform": _clouds,
    "normalize_point_cloud": lambda rng, x, options: host.normalise_points(x),
    "flip_point_cloud_y": lambda rng, x, options: host.flip_points(rng, x, probability=1),
    "shift_point_cloud": lambda rng, x, options: host.shift_points(
        rng, x, probability=1, per_point=True
    ),
    "jitter_point_cloud": lambda rng, x, options: host.jitter_points(rng, x, probability=1),
    "scale_point_cloud": lambda rng, x, options: host.scale_points(rng, x, probability=1),
    "dropout_point_cloud": lambda rng, x, options: host.drop_points(rng, x, probability=1),
}
