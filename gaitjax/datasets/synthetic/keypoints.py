"""The 17 key points of COCO, as a pose estimator would find them in a walk's frames."""

import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.synthetic.camera import Camera, project
from gaitjax.datasets.synthetic.draws import Traits
from gaitjax.datasets.synthetic.gait import Array, Skeleton

JOINTS = ("shoulder", "elbow", "wrist", "hip", "knee", "ankle")  # each left, then right
HIDDEN = 0.06  # metres behind the middle of the head, or of left and right, that hide a point


def keypoints(
    skeleton: Skeleton, body: Traits, camera: Camera, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Key points in COCO's order, with errors that grow where the body hides them.

    Args:
        skeleton: of the T frames.
        body: from `draw_body`.
        camera: that sees them.
        rng: draws the errors.

    Returns:
        float32 [T, 17, 3]: x, y in pixels of the image, confidence in 0..1.
    """
    points = np.concatenate([_face(skeleton, body), _joints(skeleton)], axis=1)
    pixels, depth = project(camera, points)
    _, head = project(camera, skeleton.points["head"][:, None])
    pairs = depth[:, 5:].reshape(-1, len(JOINTS), 2).mean(axis=-1)
    middle = np.concatenate([head.repeat(5, axis=1), pairs.repeat(2, axis=1)], axis=1)
    hidden = np.clip((depth - middle) / HIDDEN, 0, 1)
    error = (1 + 2 * hidden)[..., None] * rng.standard_normal(pixels.shape)
    confidence = 0.92 - 0.35 * hidden - 0.06 * np.abs(error).mean(axis=-1)
    found = np.concatenate([pixels + error, np.clip(confidence, 0, 1)[..., None]], axis=-1)
    return found.astype(np.float32)


def _face(skeleton: Skeleton, body: Traits) -> Array:
    """Nose, eyes and ears [T, 5, 3]."""
    front, side, up = body["head_depth"], body["head_width"], body["head_height"]
    nose = (front, 0, -0.1 * up)
    eyes = [(0.85 * front, 0.45 * sign * side, 0.2 * up) for sign in (1, -1)]
    ears = [(0, sign * side, 0) for sign in (1, -1)]
    turned = np.array([nose, *eyes, *ears]) @ skeleton.frames["head"].transpose(0, 2, 1)
    face: Array = skeleton.points["head"][:, None] + turned
    return face


def _joints(skeleton: Skeleton) -> Array:
    """Shoulders, elbows, wrists, hips, knees and ankles [T, 12, 3]."""
    names = [f"{side}_{joint}" for joint in JOINTS for side in ("left", "right")]
    return np.stack([skeleton.points[name] for name in names], axis=1)
