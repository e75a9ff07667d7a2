"""A walk as the numbers of a body model: camera, joint rotations and shape.

In the order of SMPL (Loper et al., SIGGRAPH Asia 2015), which Gait3D has. Rotations count from our
own pose of rest, with hanging arms, and the shape is our own measures: networks can learn from them
what they learn from SMPL's, but they are no input of an SMPL mesh.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from gaitjax.datasets.synthetic.body import BONES, GIRTHS
from gaitjax.datasets.synthetic.camera import FOCAL, HEIGHT, project
from gaitjax.datasets.synthetic.draws import generator
from gaitjax.datasets.synthetic.sequence import Shot

JOINTS = 24
# number of SMPL's joint, bone behind it, bone before it
TURNS = (
    (1, "left_thigh", "pelvis"), (2, "right_thigh", "pelvis"), (4, "left_shank", "left_thigh"),
    (5, "right_shank", "right_thigh"), (7, "left_foot", "left_shank"),
    (8, "right_foot", "right_shank"), (9, "chest", "pelvis"), (15, "head", "chest"),
    (16, "left_arm", "chest"), (17, "right_arm", "chest"), (18, "left_forearm", "left_arm"),
    (19, "right_forearm", "right_arm"),
)  # fmt: skip
SHAPE = ("thigh", "shank", "trunk", "hips", "shoulders", "upper_arm", "forearm", "waist_width",
         "chest_depth", "pelvis_width")  # fmt: skip
NOISE = 0.05  # standard deviation of an estimate: radians, and units of the shape


def smpl(shot: Shot) -> NDArray[np.float32]:
    """float32 [T, 85]: camera (scale, x, y), 24 rotation vectors in radians, 10 measures."""
    walk, frames = shot.walk, shot.walk.skeleton.frames
    pixels, depth = project(shot.camera, walk.skeleton.points["pelvis"])
    centre = (pixels - (HEIGHT * 2 / 3, HEIGHT / 2)) / (HEIGHT / 2)
    camera = np.column_stack([2 * FOCAL / (HEIGHT * depth), centre])
    turns = np.zeros((len(depth), JOINTS, 3))
    turns[:, 0] = _vectors(shot.camera.turn @ frames["pelvis"])
    for joint, bone, parent in TURNS:
        turns[:, joint] = _vectors(frames[parent].transpose(0, 2, 1) @ frames[bone])
    ranges = {**BONES, **GIRTHS}
    tall = walk.body["thigh"] + walk.body["shank"] + walk.body["trunk"] + walk.body["neck"]
    measures = [
        (walk.body[name] / tall - sum(ranges[name]) / 2) / np.ptp(ranges[name]) for name in SHAPE
    ]
    shape = np.broadcast_to(measures, (len(depth), len(measures)))
    exact = np.concatenate([camera, turns.reshape(len(depth), -1), shape], axis=1)[shot.seen]
    noise = generator(*shot.name, "smpl").normal(0, NOISE, exact.shape)
    return (exact + noise).astype(np.float32)


def _vectors(rotations: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrices [T, 3, 3] as axes times angles [T, 3]."""
    return np.stack([cv2.Rodrigues(rotation)[0][:, 0] for rotation in rotations])
