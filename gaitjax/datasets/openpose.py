"""Key points as OpenPose writes them, and which of several people in a video is the one."""

import json
from collections.abc import Sequence

import numpy as np

from gaitjax.datasets import readers
from gaitjax.errors import UserError

UNSEEN = 1e-6  # weight of a joint that was not found


def read(path: str, content: bytes, size: int, silhouette: bytes = b"") -> np.ndarray:
    """The key points of everybody in a frame, or of the one who covers the silhouette.

    Args:
        path: of the JSON, for errors.
        content: of the file.
        size: without a meaning here.
        silhouette: the image of the same frame, if it is there.

    Returns:
        float32 [people, joints, 3]: x, y in pixels, confidence.

    Raises:
        UserError: if it is none of OpenPose's, or shows nobody; if the silhouette is broken.
    """
    try:
        found = [person["pose_keypoints_2d"] for person in json.loads(content)["people"]]
        if not found:
            raise UserError(f"{path}: empty frame")
        people = np.array(found, np.float64).reshape(len(found), -1, 3)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise UserError(f"{path}: no JSON of people's key points: {error}") from error
    if not people.size or not np.isfinite(people).all():
        raise UserError(f"{path}: key points that are missing or not finite")
    if silhouette and len(people) > 1:
        best = coverage(people, readers.image(path, silhouette, size)[0]).argmax()
        people = people[best : best + 1]
    return people.astype(np.float32)


def coverage(people: np.ndarray, silhouette: np.ndarray) -> np.ndarray:
    """How much of a silhouette lies under the joints of people, as OpenGait scores it.

    Args:
        people: [people, joints, 3]: x, y in pixels of the silhouette, confidence.
        silhouette: uint8 [h, w].

    Returns:
        float64 [people]: the sum of the grey values at the joints; -inf where one is outside.
    """
    x, y = np.moveaxis(people[..., :2].astype(np.int32), -1, 0)
    height, width = silhouette.shape
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    grey = silhouette[y.clip(0, height - 1), x.clip(0, width - 1)].sum(axis=1, dtype=np.float64)
    return np.where(inside.all(axis=1), grey, -np.inf)


def follow(frames: Sequence[np.ndarray]) -> np.ndarray:
    """Of everybody in each frame one person: first the most confident, then whoever is nearest.

    Args:
        frames: T arrays [people, joints, 3].

    Returns:
        [T, joints, 3].
    """
    followed = [frames[0][frames[0][..., 2].sum(axis=1).argmax()]]
    for people in frames[1:]:
        distances = np.linalg.norm(_centres(people) - _centres(followed[-1]), axis=-1)
        followed.append(people[distances.argmin()])
    return np.stack(followed)


def _centres(people: np.ndarray) -> np.ndarray:
    """The middles of the joints that were found: [..., joints, 3] -> [..., 2]."""
    weights = np.maximum(people[..., 2:], UNSEEN)
    return np.asarray((people[..., :2] * weights).sum(axis=-2) / weights.sum(axis=-2))
