"""From the wire's uint8 images to the network's float32, on the device, within the jitted step.

A transform is written for one sequence; `apply` maps it over the batch. Random ones act on a whole
sequence, in training only, and draw from a key of their own for each row. Those of DRAWN make
images of poses. What the host does to poses and points is in `transforms`.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.data import transforms as host
from gaitjax.data.batch import Array
from gaitjax.data.skeleton_map import skeleton_map
from gaitjax.errors import UserError

PLACES = ("on whole sequences", "on the chosen frames", "on the device")  # in this order
EVERY = ("probability", "per_frame")  # options of all random ones
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))  # mean and deviation of red, green, blue


def apply(
    inputs: Mapping[str, Array],
    lengths: Array,
    transforms: Mapping[str, Sequence[Mapping[str, Any]]],
    key: jax.Array | None,
    row_by_row: bool = False,
) -> dict[str, jax.Array]:
    """What the network reads.

    A row's draws depend on its index and the transform's position alone: not on the other rows, nor
    on the modality, so that modalities with the same list of transforms stay aligned.

    Args:
        inputs: modality -> [N, T, ...]; images are [N, T, H, W] or [N, T, H, W, C], uint8.
        lengths: int32 [N], the frames that count.
        transforms: modality -> its transforms in order, each `{"type": name, **options}`: the
            keyword arguments of the function `name` of this module, and for random ones the
            `probability` (0.5) that they act on a sequence, or with `per_frame` on a frame. Those
            of the host (`data/transforms.py`) have acted before, and are passed over. A modality
            whose first transform is one of DRAWN is made of 'pose', unless `inputs` have it.
        key: of this step; None skips the random transforms, as evaluation does.
        row_by_row: random transforms take one row after another, and only those that they act on:
            several times as fast on a single CPU. Otherwise all at once, and rows may lie on
            several devices. The results are the same but for rounding.

    Returns:
        modality -> [N, T, ...], at least float32; modalities without transforms as they are.

    Raises:
        UserError: for an unknown type or option, for frames too narrow for their transform, and if
            there are no poses to draw.
    """
    check(transforms)
    inputs = {**_drawn(inputs, lengths, transforms), **inputs}
    rows = jnp.arange(len(lengths))
    keys = None if key is None else jax.vmap(jax.random.fold_in, (None, 0))(key, rows)
    lengths = jnp.asarray(lengths)
    return {
        modality: _convert(transforms.get(modality, ()), jnp.asarray(x), lengths, keys, row_by_row)
        for modality, x in inputs.items()
    }


def check(transforms: Mapping[str, Sequence[Mapping[str, Any]]]) -> None:
    """Refuses what `apply` would refuse, before any data are read.

    Raises:
        UserError: for an unknown type or option, which lists the known ones; for an option that is
            missing, and for one that comes too late.
    """
    for modality, listed in transforms.items():
        latest, before = 0, ""
        for position, transform in enumerate(listed):
            where = f"config.data.transforms.{modality}[{position}]"
            name = _checked(where, dict(transform))
            place = 0 if name in host.WHOLE else 1 if name in host.HOST else 2
            if name in DRAWN and position:
                raise UserError(f"{where}: {name} makes images of poses; name it first")
            if place < latest:
                raise UserError(
                    f"{where}: {name} acts {PLACES[place]}, but {before} {PLACES[latest]}; name "
                    "it before"
                )
            latest, before = place, name


def _checked(where: str, transform: Mapping[str, Any]) -> str:
    """The name of a transform that there is, with options that it has."""
    types = host.HOST | DRAWN | FIXED | RANDOM
    name = transform.get("type")
    if name not in types:
        raise UserError(f"{where} has type {name!r}; expected {', '.join(sorted(types))}")
    options = _options(types[name]) | (dict.fromkeys(EVERY, False) if name in RANDOM else {})
    unknown = sorted(set(transform) - set(options) - {"type"})
    if unknown:
        listing = ", ".join(sorted(options)) or "none"
        raise UserError(f"{where}: {name} has no option {unknown[0]!r}; it has {listing}")
    missing = sorted(o for o, needed in options.items() if needed and o not in transform)
    if missing:
        raise UserError(f"{where}: {name} needs the option {missing[0]!r}; state it")
    return str(name)


def silhouette(x: jax.Array, length: jax.Array, *, divisor: float = 255) -> jax.Array:
    """Scales the grey levels of [T, H, W]; all of the width is kept."""
    return silhouette_cut(x, length, cutting=0, divisor=divisor)


def silhouette_cut(
    x: jax.Array, length: jax.Array, *, cutting: int | None = None, divisor: float = 255
) -> jax.Array:
    """Cuts columns off both sides of [T, H, W] and scales the grey levels.

    Args:
        x: [T, H, W] or [T, H, W, C].
        length: not needed.
        cutting: columns cut off each side; None: a width of 64 becomes 44, 128 becomes 88.
        divisor: what the values are divided by.

    Raises:
        UserError: if nothing would be left.
    """
    return _cut(x, cutting) / divisor


def parsing_cut(
    x: jax.Array, length: jax.Array, *, cutting: int | None = None, divisor: float = 255
) -> jax.Array:
    """`silhouette_cut` for [T, H, W] body parts, which are either class numbers or grey levels.

    Class numbers are kept as they are: only a sequence whose largest value is 255 is divided.
    """
    x = _cut(x, cutting)
    valid = (jnp.arange(len(x)) < length).reshape(-1, *[1] * (x.ndim - 1))
    grey = jnp.where(valid, x, 0).max() == 255
    return x / jnp.where(grey, divisor, 1.0)


def rgb(x: jax.Array, length: jax.Array) -> jax.Array:
    """Takes ImageNet's mean from the colours of [T, H, W, 3], and divides by its deviation."""
    statistics = jnp.array(IMAGENET, jnp.float32)
    return (silhouette(x, length) - statistics[0]) / statistics[1]


def flip(key: jax.Array, x: jax.Array) -> jax.Array:
    """Mirrors [T, H, W] left to right."""
    return x[:, :, ::-1]


def erase(
    key: jax.Array,
    x: jax.Array,
    *,
    area: tuple[float, float] = (0.05, 0.2),
    aspect: tuple[float, float] = (0.3, 1 / 0.3),
) -> jax.Array:
    """Blackens the same rectangle in all frames of [T, H, W].

    Random Erasing, Zhong et al., AAAI 2020.

    Args:
        key: what the rectangle follows from.
        x: [T, H, W] or [T, H, W, C].
        area: smallest and largest share of the frame.
        aspect: smallest and largest height / width.
    """
    H, W = x.shape[1:3]
    size_key, shape_key, top_key, left_key = jax.random.split(key, 4)
    # The first of 100 tries that fits; none may.
    size = jax.random.uniform(size_key, (100,), minval=area[0], maxval=area[1]) * H * W
    shape = jax.random.uniform(shape_key, (100,), minval=aspect[0], maxval=aspect[1])
    heights, widths = jnp.round(jnp.sqrt(jnp.stack([size * shape, size / shape]))).astype(int)
    fits = (heights < H) & (widths < W)
    height, width = jnp.where(fits.any(), jnp.stack([heights, widths])[:, fits.argmax()], 0)
    top = jax.random.randint(top_key, (), 0, H - height + 1)
    left = jax.random.randint(left_key, (), 0, W - width + 1)
    return blacken(x, top, left, height, width)


def rotate(key: jax.Array, x: jax.Array, *, degree: float = 10) -> jax.Array:
    """Turns [T, H, W] by up to `degree` either way."""
    angle = jax.random.uniform(key, minval=-degree, maxval=degree)
    return warp(x, rotation(angle, *x.shape[1:3]))


def perspective(key: jax.Array, x: jax.Array) -> jax.Array:
    """Stretches a random trapezoid of [T, H, W], of full height, to the whole frame.

    Raises:
        UserError: if the frames have fewer than 44 columns.
    """
    H, W = x.shape[1:3]
    margin = W // 44 * 10
    if margin == 0:
        raise UserError(f"transform perspective: frames have {W} columns; expected 44 or more")
    left, right = jax.random.randint(key, (2, 2), 0, margin)
    return warp(x, trapezoid(jnp.stack([left, W - 1 - right], axis=1), H, W))


def affine(key: jax.Array, x: jax.Array) -> jax.Array:
    """Moves three points of [T, H, W], near its corners, each by its own draw, and all in between.

    Raises:
        UserError: if the frames are smaller than 64 x 44.
    """
    H, W = x.shape[1:3]
    if H < 64 or W < 44:
        raise UserError(f"transform affine: frames are {H} x {W}; expected 64 x 44 or more")
    return warp(x, triangle(jax.random.randint(key, (2, 3, 2), 0, H // 64 * 10), H, W))


def dilate(
    key: jax.Array,
    x: jax.Array,
    *,
    top: tuple[int, int] = (12, 16),
    bottom: tuple[int, int] = (36, 40),
) -> jax.Array:
    """Widens the silhouettes of [T, H, W] in a band of rows, as a coat does.

    Fan et al., GaitSSB, TPAMI 2023. By one of nine rectangles, crosses and ellipses.

    Args:
        key: what its shape and the band follow from.
        x: [T, H, W] or [T, H, W, C].
        top: first row of the band, lowest and highest, pixels.
        bottom: the row behind the band, lowest and highest, pixels.
    """
    element_key, band_key = jax.random.split(key)
    element = jax.random.choice(element_key, jnp.asarray(ELEMENTS))
    return dilate_band(x, element, *_band(band_key, top, bottom))


def blur(
    key: jax.Array,
    x: jax.Array,
    *,
    top: tuple[int, int] = (9, 20),
    bottom: tuple[int, int] = (29, 40),
) -> jax.Array:
    """Smooths the outlines of [T, H, W] in a band of rows (GaitSSB); options as in `dilate`.

    Raises:
        UserError: for integers: frames have to be scaled to 0..1 before.
    """
    if jnp.issubdtype(x.dtype, jnp.integer):
        raise UserError("transform blur: frames are 0..255; name silhouette_cut before it")
    return blur_band(x, *_band(key, top, bottom))


def blacken(
    x: jax.Array, top: jax.Array, left: jax.Array, height: jax.Array, width: jax.Array
) -> jax.Array:
    """Sets a rectangle, in pixels, of every frame of [T, H, W] or [T, H, W, C] to 0."""
    rows, columns = jnp.arange(x.shape[1]), jnp.arange(x.shape[2])
    inside = ((top <= rows) & (rows < top + height))[:, None] & (
        (left <= columns) & (columns < left + width)
    )
    return jnp.where(inside.reshape(*inside.shape, *[1] * (x.ndim - 3)), 0, x)


def rotation(angle: jax.Array, height: int, width: int) -> jax.Array:
    """From a pixel of the rotated frame to its source.

    Args:
        angle: degrees, counter-clockwise as one sees the image.
        height: of the frame, pixels.
        width: of the frame, pixels.

    Returns:
        [3, 3], for `warp`.
    """
    cos, sin = jnp.cos(jnp.deg2rad(angle)), jnp.sin(jnp.deg2rad(angle))
    # OpenGait's centre: it hands (row, column) to OpenCV, which reads (x, y).
    x, y = height // 2, width // 2
    zero, one = jnp.zeros_like(cos), jnp.ones_like(cos)
    return jnp.stack(
        [cos, -sin, x - x * cos + y * sin, sin, cos, y - x * sin - y * cos, zero, zero, one]
    ).reshape(3, 3)


def trapezoid(corners: jax.Array, height: int, width: int) -> jax.Array:
    """From a pixel of the frame to its source, where a trapezoid of full height fills the frame.

    The projective mapping of a square to a quadrilateral (Heckbert, Fundamentals of Texture Mapping
    and Image Warping, 1989, section 2.2.3), for one whose upper and lower edge are the frame's.

    Args:
        corners: [[top left, top right], [bottom left, bottom right]], columns in pixels.
        height: of the frame, pixels.
        width: of the frame, pixels.

    Returns:
        [3, 3], for `warp`.
    """
    left, right = corners[:, 0], corners[:, 1]
    ratio = (right[0] - left[0]) / (right[1] - left[1])
    across = [
        (right[0] - left[0]) / width,
        (ratio * left[1] - left[0]) / height,
        left[0].astype(ratio.dtype),
    ]
    zero, one = jnp.zeros_like(ratio), jnp.ones_like(ratio)
    return jnp.stack([*across, zero, ratio, zero, zero, (ratio - 1) / height, one]).reshape(3, 3)


def triangle(shifts: jax.Array, height: int, width: int) -> jax.Array:
    """From a pixel of the frame to its source, where three points are moved to three others.

    Args:
        shifts: [before or after, point, 2], how far the points are from their corners, pixels.
        height: of the frame, pixels.
        width: of the frame, pixels.

    Returns:
        [3, 3], for `warp`.
    """
    # OpenGait's corners (x, y): x goes over the height, y over the width.
    corners = jnp.array([[0, 0], [height, 0], [0, width]])
    inwards = jnp.array([[1, 1], [-1, 1], [1, -1]])
    source, target = corners + inwards * shifts
    (a, b), (u, v) = (points[1:] - points[0] for points in (source, target))
    # The linear map that takes u to a and v to b; term by term, as in `warp`.
    across = a * v[1] - b * u[1]
    down = b * u[0] - a * v[0]
    area = u[0] * v[1] - v[0] * u[1]
    start = source[0] * area - across * target[0, 0] - down * target[0, 1]
    rows = jnp.stack([across, down, start], axis=1) / area
    return jnp.concatenate([rows, jnp.array([[0, 0, 1]], rows.dtype)])


def dilate_band(x: jax.Array, element: jax.Array, top: jax.Array, bottom: jax.Array) -> jax.Array:
    """The largest value under a structuring element, in the rows from `top` to before `bottom`.

    As OpenCV's dilate of these rows alone: the others, and what is outside the frame, are 0.

    Args:
        x: [T, H, W] or [T, H, W, C], not negative.
        element: bool [5, 5].
        top: first row of the band.
        bottom: the row behind it.
    """
    band = _inside(x, top, bottom)
    padded = jnp.pad(jnp.where(band, x, 0), [(0, 0), (2, 2), (2, 2), *[(0, 0)] * (x.ndim - 3)])

    def add(place: jax.Array, largest: jax.Array) -> jax.Array:
        i, j = place // 5, place % 5
        moved = jax.lax.dynamic_slice(padded, (0, i, j, *[0] * (x.ndim - 3)), x.shape)
        return jnp.maximum(largest, jnp.where(element[i, j], moved, 0))

    # A loop, so that XLA does not fuse the transform before into every shift.
    return jnp.where(band, jax.lax.fori_loop(0, 25, add, jnp.zeros_like(x)), x)


def blur_band(x: jax.Array, top: jax.Array, bottom: jax.Array) -> jax.Array:
    """A Gaussian of 3 x 3, then 1 above 0.2 and 0 elsewhere, in the rows from `top` to `bottom`.

    As OpenCV's GaussianBlur of these rows alone, which mirrors at their edges.

    Args:
        x: [T, H, W] or [T, H, W, C] in 0..1.
        top: first row of the band.
        bottom: the row behind it.
    """
    rows = jnp.arange(x.shape[1])
    above = jnp.where(rows == top, top + 1, rows - 1)
    below = jnp.where(rows == bottom - 1, bottom - 2, rows + 1)
    y = (x[:, above] + 2 * x + x[:, below]) / 4
    y = jnp.pad(y, [(0, 0), (0, 0), (1, 1), *[(0, 0)] * (x.ndim - 3)], mode="reflect")
    y = (y[:, :, :-2] + 2 * y[:, :, 1:-1] + y[:, :, 2:]) / 4
    return jnp.where(_inside(x, top, bottom), (y > 0.2).astype(x.dtype), x)


def warp(x: jax.Array, matrix: jax.Array) -> jax.Array:
    """Moves all frames alike: OpenCV's warpPerspective, bilinear, 0 outside.

    Args:
        x: [T, H, W] or [T, H, W, C].
        matrix: [3, 3], from a pixel (column, row, 1) of the result to its source.

    Returns:
        Shape and dtype of `x`; integers are rounded.
    """
    H, W = x.shape[1:3]
    column, row = jnp.meshgrid(jnp.arange(W), jnp.arange(H))
    # Term by term: a product of matrices may be rounded to bfloat16 or TF32.
    u, v, w = (m[0] * column + m[1] * row + m[2] for m in matrix)
    u, v = u / w, v / w
    left, top = jnp.floor(u).astype(int), jnp.floor(v).astype(int)
    pixels = jnp.moveaxis(x, 0, 2).reshape(H * W, -1)  # one look-up serves all frames

    def corner(k: jax.Array) -> tuple[jax.Array, jax.Array]:
        i, j = left + k % 2, top + k // 2
        inside = (i >= 0) & (i < W) & (j >= 0) & (j < H)
        weight = jnp.where(inside, (1 - abs(u - i)) * (1 - abs(v - j)), 0)
        return weight, jnp.where(inside, j * W + i, 0)

    def mix(weights: jax.Array, places: jax.Array) -> jax.Array:
        mixed: jax.Array = sum(w[:, None] * pixels[p] for w, p in zip(weights, places, strict=True))
        return mixed

    # Loops, so that XLA fuses neither the weights nor the transforms around into every look-up.
    corners = jax.lax.map(corner, jnp.arange(4))
    rows = jax.tree.map(lambda each: jnp.moveaxis(each, 1, 0), corners)
    moved = jax.lax.map(lambda row: mix(*row), rows, batch_size=16)
    if jnp.issubdtype(x.dtype, jnp.integer):
        moved = jnp.round(moved)
    return jnp.moveaxis(moved.reshape(H, W, *x.shape[:1], *x.shape[3:]), 2, 0).astype(x.dtype)


def structuring_element(shape: str, width: int, height: int) -> np.ndarray:
    """OpenCV's shape of odd size for a dilation, in the middle of bool [5, 5].

    Args:
        shape: 'rectangle', 'cross' or 'ellipse'.
        width: pixels.
        height: pixels.
    """
    y, x = np.abs(np.mgrid[-2:3, -2:3])
    a, b = width // 2, height // 2
    if shape == "rectangle":
        reach = np.full((5, 5), a)
    elif shape == "cross":
        reach = np.where(y == 0, a, 0)
    else:
        reach = np.round(a * np.sqrt(np.maximum(1 - (y / b) ** 2, 0)))
    inside: np.ndarray = (x <= reach) & (y <= b)
    return inside


_SIZES = ((3, 3), (3, 5), (5, 3))
ELEMENTS = np.stack(
    [structuring_element("rectangle", *size) for size in ((5, 3), (5, 5), (3, 5))]
    + [structuring_element("cross", *size) for size in _SIZES]
    + [structuring_element("ellipse", *size) for size in _SIZES]
)
DRAWN: dict[str, Callable[..., jax.Array]] = {"skeleton_map": skeleton_map}
FIXED: dict[str, Callable[..., jax.Array]] = {
    f.__name__: f for f in (silhouette, silhouette_cut, parsing_cut, rgb)
}
RANDOM: dict[str, Callable[..., jax.Array]] = {
    f.__name__: f for f in (flip, erase, rotate, perspective, affine, dilate, blur)
}


def _drawn(
    inputs: Mapping[str, Array],
    lengths: Array,
    transforms: Mapping[str, Sequence[Mapping[str, Any]]],
) -> dict[str, jax.Array]:
    """The modalities that are made of poses, [N, T, H, W, C]."""
    result = {}
    for modality, listed in transforms.items():
        options = dict(listed[0]) if listed else {}
        name = options.pop("type", None)
        if name not in DRAWN or modality in inputs:
            continue
        if "pose" not in inputs:
            raise UserError(
                f"config.data.transforms.{modality}[0]: {name} draws poses, which are not read; "
                f"name 'pose' in config.data.modalities, or {modality!r} if it is prepared"
            )
        draw = jax.vmap(functools.partial(DRAWN[name], **options))
        result[modality] = draw(jnp.asarray(inputs["pose"]), jnp.asarray(lengths))
    return result


def _convert(
    transforms: Sequence[Mapping[str, Any]],
    x: jax.Array,
    lengths: jax.Array,
    keys: jax.Array | None,
    row_by_row: bool,
) -> jax.Array:
    """All transforms of a modality but those that drew it, which have no place in the count."""
    listed = [transform for transform in transforms if transform["type"] not in DRAWN]
    for position, transform in enumerate(listed):
        options = dict(transform)
        name = options.pop("type")
        if name in FIXED:
            x = jax.vmap(functools.partial(FIXED[name], **options))(x, lengths)
        elif name in RANDOM and keys is not None:
            drawn = jax.vmap(jax.random.fold_in, (0, None))(keys, position)
            x = _act(RANDOM[name], options, x, drawn, row_by_row)
    return x.astype(jnp.promote_types(x.dtype, jnp.float32))


def _act(
    function: Callable[..., jax.Array],
    options: dict[str, Any],
    x: jax.Array,
    keys: jax.Array,
    row_by_row: bool,
) -> jax.Array:
    """A random transform on the rows, or the frames, that the draws choose."""
    shape = x.shape
    if options.pop("per_frame", False):  # each frame is a sequence of its own
        fold = jax.vmap(jax.vmap(jax.random.fold_in, (None, 0)), (0, None))
        keys = fold(keys, jnp.arange(shape[1])).reshape(-1)
        x = x.reshape(-1, 1, *shape[2:])
    probability = float(options.pop("probability", 0.5))
    function = functools.partial(function, **options)
    chosen, drawn = jnp.moveaxis(jax.vmap(jax.random.split)(keys), 1, 0)
    acts = jax.vmap(functools.partial(jax.random.bernoulli, p=probability))(chosen)
    if row_by_row:
        first = jnp.argsort(~acts)  # the rows that it acts on come first

        def act(i: jax.Array, x: jax.Array) -> jax.Array:
            row = first[i]
            return x.at[row].set(function(drawn[row], x[row]))

        x = jax.lax.fori_loop(0, acts.sum(), act, x)
    else:
        x = jnp.where(acts.reshape(-1, *[1] * (x.ndim - 1)), jax.vmap(function)(drawn, x), x)
    return x.reshape(shape)


def _cut(x: jax.Array, cutting: int | None) -> jax.Array:
    W = x.shape[2]
    cutting = W // 64 * 10 if cutting is None else cutting
    if not 0 <= 2 * cutting < W:
        raise UserError(f"transform cuts {cutting} columns off both sides; frames have only {W}")
    return x[:, :, cutting : W - cutting].astype(jnp.promote_types(x.dtype, jnp.float32))


def _band(
    key: jax.Array, top: tuple[int, int], bottom: tuple[int, int]
) -> tuple[jax.Array, jax.Array]:
    """First row of a band and the row behind it, uniform within both bounds."""
    first, last = jnp.array([top, bottom]).T
    top_row, bottom_row = jax.random.randint(key, (2,), first, last + 1)
    return top_row, bottom_row


def _inside(x: jax.Array, top: jax.Array, bottom: jax.Array) -> jax.Array:
    """Which rows of x [T, H, ...] are in a band, in a shape that fits to x."""
    rows = jnp.arange(x.shape[1]).reshape(-1, *[1] * (x.ndim - 2))
    return (top <= rows) & (rows < bottom)


def _options(function: Callable[..., Any]) -> dict[str, bool]:
    """The options of a transform, and whether they have to be stated."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p.default is p.empty for p in parameters if p.kind is p.KEYWORD_ONLY}
