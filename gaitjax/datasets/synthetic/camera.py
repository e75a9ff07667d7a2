"""Pinhole cameras around the walker, as in CASIA-B."""

from typing import NamedTuple

import numpy as np

from gaitjax.datasets.synthetic.gait import Array

WIDTH, HEIGHT = 320, 240  # pixels, as CASIA-B's
DISTANCE = 7.0  # metres from the middle of the track
ABOVE = 1.5  # metres of the camera above the ground
FOCAL = 520.0  # pixels


class Camera(NamedTuple):
    """Where a camera stands and looks.

    Attributes:
        place: [3], metres in the world.
        turn: [3, 3], the rows point right, down and ahead.
    """

    place: Array
    turn: Array


def at_view(view: str) -> Camera:
    """The camera of a view, which looks at the middle of the track.

    Args:
        view: degrees between the direction of the walk and that to the camera, such as '090':
            '000' sees the front, '090' the left side, '180' the back.
    """
    angle = np.radians(int(view))
    place = np.array([DISTANCE * np.cos(angle), DISTANCE * np.sin(angle), ABOVE])
    ahead = np.array([0, 0, 0.8]) - place
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, (0, 0, 1))
    right /= np.linalg.norm(right)
    return Camera(place, np.stack([right, np.cross(ahead, right), ahead]))


def project(camera: Camera, points: Array) -> tuple[Array, Array]:
    """Pixels [..., 2] (x to the right, y down) and depth [...] in metres of points [..., 3]."""
    seen = (points - camera.place) @ camera.turn.T
    depth = seen[..., 2]
    return FOCAL * seen[..., :2] / depth[..., None] + (WIDTH / 2, HEIGHT / 2), depth


def derivative(camera: Camera, points: Array) -> Array:
    """How pixels move with points [..., 3]: the Jacobians [..., 2, 3] of `project`."""
    seen = (points - camera.place) @ camera.turn.T
    depth = seen[..., 2, None, None]
    ratio = seen[..., :2, None] / depth
    jacobian: Array = FOCAL / depth * (camera.turn[:2] - ratio * camera.turn[2])
    return jacobian
