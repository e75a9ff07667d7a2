"""A solid as a LiDAR sees it: how far its surface is along rays."""

import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.synthetic.camera import FOCAL, HEIGHT, WIDTH, Camera
from gaitjax.datasets.synthetic.flesh import Solid
from gaitjax.datasets.synthetic.gait import Array
from gaitjax.datasets.synthetic.render import Mask

STEP = 3  # pixels of the camera between two rays: 4 cm on the middle of the track
ERROR = 0.02  # metres, standard deviation of a measured distance
FACETS = 64  # planes around a part


def clouds(
    parts: list[Mask],
    places: list[tuple[int, int]],
    solid: Solid,
    camera: Camera,
    rng: np.random.Generator,
) -> list[Array]:
    """What a LiDAR at the camera's place measures, frame by frame.

    Args:
        parts: 1 + the part at every pixel of a window, from `render.numbers`.
        places: the pixel (x, y) of each window's corner.
        solid: in the world, in the same T frames.
        camera: in the LiDAR's place, which is level and looks where the camera looks.
        rng: draws the errors of the distances.

    Returns:
        T arrays [points, 3], metres from the LiDAR: ahead, to the left, up.
    """
    ahead = np.array([*camera.turn[2, :2], 0.0])
    ahead /= np.linalg.norm(ahead)
    axes = np.stack([ahead, np.cross((0, 0, 1), ahead), (0, 0, 1)])
    result = []
    for window, (x, y), normals, offsets in zip(parts, places, *facets(solid), strict=True):
        rows, columns = np.nonzero(window[::STEP, ::STEP])
        part = window[::STEP, ::STEP][rows, columns].astype(int) - 1
        rays = _rays(camera, x + STEP * columns, y + STEP * rows)
        reach = offsets[part] - normals[part] @ camera.place
        distance = depths(rays, normals[part], reach)
        distance += ERROR * rng.standard_normal(len(distance))
        hit = np.isfinite(distance)
        result.append((distance[:, None] * rays)[hit] @ axes.T)
    return result


def facets(solid: Solid) -> tuple[Array, Array]:
    """Planes that touch every part from outside.

    Their normals lie evenly around the part when it is stretched to be as long as wide.

    Args:
        solid: in the world.

    Returns:
        Normals [T, P, FACETS, 3], of any length, and offsets [T, P, FACETS]: x is on the inner
        side of a plane where normal @ x <= offset.
    """
    centres, axes = solid.centres[:, solid.parts], solid.axes[:, solid.parts]
    apart = centres - centres.mean(axis=2, keepdims=True)
    spread = apart.swapaxes(2, 3) @ apart + (axes @ axes.swapaxes(3, 4)).sum(axis=2)
    normals = _sphere(FACETS) @ np.linalg.inv(np.linalg.cholesky(spread))
    # The farthest point of an ellipsoid c + A u in a direction n lies n c + |A' n| along it.
    reach = normals[:, :, None] @ centres[..., None]
    radii = np.linalg.norm(normals[:, :, None] @ axes, axis=-1)
    return normals, (reach[..., 0] + radii).max(axis=2)


def depths(rays: Array, normals: Array, reach: Array) -> Array:
    """How far along rays from the origin the bodies begin that planes enclose.

    Args:
        rays: [R, 3].
        normals: [R, F, 3].
        reach: [R, F], of the planes from the origin, along their normals.

    Returns:
        [R], in lengths of the rays; NaN for a ray beside its body.
    """
    towards = np.einsum("rfi,ri->rf", normals, rays)
    with np.errstate(divide="ignore"):
        crossed = reach / towards
    entered = np.where(towards < 0, crossed, -np.inf).max(axis=1)
    left = np.where(towards > 0, crossed, np.inf).min(axis=1)
    return np.where(entered <= left, entered, np.nan)


def _rays(camera: Camera, x: NDArray[np.int64], y: NDArray[np.int64]) -> Array:
    """Directions [R, 3] of unit length in the world, in which pixels lie."""
    seen = np.stack([x - WIDTH / 2, y - HEIGHT / 2, np.full(len(x), FOCAL)], axis=-1)
    rays: Array = seen @ camera.turn / np.linalg.norm(seen, axis=-1, keepdims=True)
    return rays


def _sphere(number: int) -> Array:
    """Directions [number, 3], spread evenly: Fibonacci's spiral on the sphere."""
    index = np.arange(number) + 0.5
    up, around = 1 - 2 * index / number, np.pi * (1 + 5**0.5) * index
    wide = np.sqrt(1 - up**2)
    return np.stack([wide * np.cos(around), wide * np.sin(around), up], axis=-1)
