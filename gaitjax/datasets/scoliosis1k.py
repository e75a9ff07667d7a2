"""Scoliosis1K: 1,493 walks of adolescents, and whether a doctor found their spine curved.

Zhou et al., "Gait patterns as biomarkers: a video-based approach for classifying scoliosis", MICCAI
2024. Nobody is searched for: a sequence is classified by its type, Positive, Neutral or Negative.
There are four splits, in which the classes are as 1 : 1 : 2, 4, 8 or 16. Distributed as
Scoliosis1K-sil-pkl.zip and Scoliosis1K-pose-pkl.zip, prepared, and as -raw.zip of images and JSON
files, with a password. Pickles of both have the same names: only the folders tell them apart.
"""

import json

import numpy as np

from gaitjax.datasets import Dataset, Raw, readers
from gaitjax.errors import UserError

SEQUENCE = r"(?P<identity>\d{5})/(?P<type>(?i:positive|neutral|negative))/(?P<view>[^/]+)/"


def pose(path: str, content: bytes, size: int) -> np.ndarray:
    """The key points of a frame, of which there is one person.

    Args:
        path: of the file, for errors.
        content: JSON as OpenPose writes it.
        size: without a meaning here.

    Returns:
        float32 [1, joints, 3]: x, y, confidence.

    Raises:
        UserError: if it is none, or has nobody.
    """
    del size
    try:
        people = json.loads(content)["people"]
        points = [np.array(person["pose_keypoints_2d"], np.float32) for person in people[:1]]
        if not points:
            raise UserError(f"{path}: empty frame")
        return points[0].reshape(1, -1, 3)
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise UserError(f"{path}: no JSON of people's key points: {error}") from error


DATASET = Dataset(
    title="Scoliosis1K",
    files={"silhouette": "{view}.pkl|*.pkl", "pose": "*-pose.pkl"},
    partition="one of OpenGait's datasets/Scoliosis1K/Scoliosis1K_{112,114,118,1116}.json",
    labels={"diagnosis": {"negative": 0, "neutral": 1, "positive": 2}},
    expected={"sequences": 1_493},
    raw=(
        Raw("silhouette", SEQUENCE + r"[^/]+\.png$", readers.silhouette),
        Raw("silhouette", r"^(?!.*pose).*?" + SEQUENCE + r"[^/]+\.pkl$", readers.pickle),
        Raw("pose", SEQUENCE + r"[^/]+\.json$", pose, "{view}-pose.pkl"),
        Raw("pose", r"pose.*?" + SEQUENCE + r"[^/]+\.pkl$", readers.pickle, "{view}-pose.pkl"),
    ),
)
