"""Skeleton maps: poses drawn as images of limbs and joints, on the device.

Fan et al., "SkeletonGait: Gait recognition using skeleton maps", AAAI 2024. Everybody is scaled to
one height around the middle of the hips, so that the map shows how the limbs stand, and nothing of
where the person is.
"""

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.errors import UserError

CANVAS = 128  # pixels that the maps are drawn on
HEIGHT = 85  # pixels from the highest joint to the lowest
REACH = 3  # standard deviations after which a joint or limb ends
FAINTEST = 1e-3  # limbs that are less sure are not drawn
HIPS = (11, 12)
# fmt: off
LIMBS = np.array([(0, 1), (0, 2), (1, 3), (2, 4), (0, 5), (0, 6), (5, 7), (6, 8), (7, 9), (8, 10),
                  (5, 11), (6, 12), (11, 12), (11, 13), (12, 14), (13, 15), (14, 16)])
# fmt: on
# In 0..1; OpenGait takes its greys from a colour map, which is one level darker here and there.
LEVELS = np.trunc(np.linspace(0, 1, 256) * 255) / 255


def skeleton_map(
    poses: jax.Array, length: jax.Array, *, sigma: float = 8.0, size: int = 64
) -> jax.Array:
    """Draws the key points of a sequence, each frame by itself.

    Args:
        poses: float32 [T, 17, 3], COCO's key points: x, y in pixels, confidence in 0..1.
        length: not needed.
        sigma: standard deviation of the bell around a joint or limb, pixels of the canvas.
        size: height and width of the result, pixels.

    Returns:
        uint8 [T, size, size, 2]: limbs, joints.

    Raises:
        UserError: for other poses.
    """
    if poses.shape[1:] != (17, 3):
        raise UserError(
            f"transform skeleton_map: poses have {list(poses.shape[1:])} joints and channels; "
            "expected [17, 3]: name complete_joints for the poses, which makes 17 joints of 18"
        )
    points, confidence = centred(poses[..., :2]), poses[..., 2]
    first, second = LIMBS.T
    starts, ends = points[:, first], points[:, second]
    short = ((starts - ends) ** 2).sum(axis=-1) < 1  # OpenGait draws the first of its ends alone
    ends = jnp.where(short[..., None], starts, ends)
    weaker = jnp.minimum(confidence[:, first], confidence[:, second])
    peaks = jnp.where(short & (weaker >= FAINTEST), confidence[:, first], weaker)
    draw = jax.vmap(_draw, (0, 0, 0, None))
    maps = draw(starts, ends, peaks, sigma), draw(points, points, confidence, sigma)
    # XLA would draw again for every pixel that the cut looks up.
    drawn = jax.lax.optimization_barrier(jnp.stack(maps, axis=1))
    cut = jax.vmap(jax.vmap(_cut, (0, None)), (0, None))
    return jnp.moveaxis(cut(drawn, size), 1, -1)


def centred(points: jax.Array) -> jax.Array:
    """The middle of the hips to the middle of the canvas, everybody to one height.

    Args:
        points: [T, 17, 2], x, y.

    Returns:
        [T, 17, 2], pixels of the canvas.
    """
    points = points - points[:, HIPS, :].mean(axis=1, keepdims=True)
    extent = jnp.ptp(points[..., 1], axis=1)[:, None, None]
    return points * (HEIGHT / jnp.where(extent > 0, extent, 1)) + CANVAS // 2


def _draw(starts: jax.Array, ends: jax.Array, peaks: jax.Array, sigma: float) -> jax.Array:
    """The largest of all segments' bells at every pixel: uint8 [CANVAS, CANVAS].

    Args:
        starts: [S, 2] x, y in pixels of the canvas.
        ends: [S, 2], equal for a point.
        peaks: [S] in 0..1, the value on a segment, which falls off as a Gaussian around it.
        sigma: of the Gaussian.
    """
    pixel = jnp.arange(CANVAS)
    low = jnp.trunc(jnp.minimum(starts, ends) - REACH * sigma)[..., None]
    high = jnp.trunc(jnp.maximum(starts, ends) + REACH * sigma)[..., None]
    outside = jnp.where((low <= pixel) & (pixel <= high), 0, jnp.inf)  # [S, 2, CANVAS]
    away, along = pixel - starts[..., None], ends - starts
    share = along[..., None] * away / jnp.maximum((along**2).sum(axis=-1), 1e-9)[:, None, None]
    peaks = jnp.log(jnp.maximum(peaks, 0))
    brightest = jnp.full((CANVAS, CANVAS), -jnp.inf)  # logarithms: one exponential a pixel
    for segment in range(len(starts)):
        x, y = away[segment, 0], away[segment, 1, :, None]
        place = jnp.clip(share[segment, 0] + share[segment, 1, :, None], 0, 1)
        square = (x - place * along[segment, 0]) ** 2 + (y - place * along[segment, 1]) ** 2
        end = outside[segment, 0] + outside[segment, 1, :, None]
        brightest = jnp.maximum(brightest, peaks[segment] - square / (2 * sigma**2) - end)
    return jnp.minimum(256 * jnp.exp(brightest), 255).astype(jnp.uint8)


def _cut(image: jax.Array, size: int) -> jax.Array:
    """The rows of a map that hold anything, and as many columns around the middle, as a square.

    OpenCV's INTER_AREA: the mean of what lies under a pixel. Where the mean is a whole grey, its
    rounding decides between it and the next darker one; hence double precision and its order.
    """
    rows = (image > 0).any(axis=1)
    top = rows.argmax()
    height = CANVAS - rows[::-1].argmax() - top
    left = CANVAS // 2 - height // 2
    width = jnp.minimum(2 * (height // 2) + 1, CANVAS)
    row, row_weights = _overlaps(top, height, size)
    column, column_weights = _overlaps(left, width, size)
    with jax.enable_x64(True):
        levels, mean = jnp.asarray(LEVELS), jnp.zeros((size, size), jnp.float64)
        for i, j in np.ndindex(row.shape[0], column.shape[0]):
            weights = row_weights[i, :, None] * column_weights[j]
            mean += weights * levels[image[row[i, :, None], column[j]]]
        return (255 * mean).astype(jnp.uint8)


def _overlaps(start: jax.Array, length: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
    """Pixels under those of a smaller image, along one axis.

    Args:
        start: the first pixel of the larger image.
        length: its number of pixels, up to CANVAS.
        size: pixels of the smaller image.

    Returns:
        [K, size], the pixels, and [K, size], the share of each in its mean: float32 values, as in
        OpenCV, in double precision.
    """
    to, overlapping = jnp.arange(size), jnp.arange(-(-CANVAS // size) + 1)[:, None]
    pixel = to * length // size + overlapping
    # In units of 1 / size pixels, so that all are whole numbers.
    end = jnp.minimum((to + 1) * length, (pixel + 1) * size)
    overlap = jnp.maximum(end - jnp.maximum(to * length, pixel * size), 0)
    with jax.enable_x64(True):
        share = overlap.astype(jnp.float64) / length.astype(jnp.float64)
        share = share.astype(jnp.float32).astype(jnp.float64)
    return start + jnp.minimum(pixel, length - 1), share
