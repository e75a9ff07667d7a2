"""Scoliosis1K: 1,493 walks of adolescents, and whether a doctor found their spine curved.

Zhou et al., "Gait patterns as biomarkers: a video-based approach for classifying scoliosis", MICCAI
2024. Nobody is searched for: a sequence is classified by its type, Positive, Neutral or Negative.
There are four splits, in which the classes are as 1 : 1 : 2, 4, 8 or 16. Distributed as
Scoliosis1K-sil-pkl.zip and Scoliosis1K-pose-pkl.zip, prepared, and as -raw.zip of images and JSON
files, with a password. Pickles of both have the same names: only the folders tell them apart.
"""

from gaitjax.datasets import Dataset, Raw, openpose, readers

SEQUENCE = r"(?P<identity>\d{5})/(?P<type>(?i:positive|neutral|negative))/(?P<view>[^/]+)/"

DATASET = Dataset(
    title="Scoliosis1K",
    files={"silhouette": "{view}.pkl|*.pkl", "pose": "*-pose.pkl"},
    partition="one of OpenGait's datasets/Scoliosis1K/Scoliosis1K_{112,114,118,1116}.json",
    labels={"diagnosis": {"negative": 0, "neutral": 1, "positive": 2}},
    expected={"sequences": 1_493},
    raw=(
        Raw("silhouette", SEQUENCE + r"[^/]+\.png$", readers.silhouette),
        Raw("silhouette", r"^(?!.*pose).*?" + SEQUENCE + r"[^/]+\.pkl$", readers.pickle),
        Raw(
            "pose",
            SEQUENCE + r"[^/]+\.json$",
            openpose.read,
            "{view}-pose.pkl",
            join=openpose.follow,
        ),
        Raw("pose", r"pose.*?" + SEQUENCE + r"[^/]+\.pkl$", readers.pickle, "{view}-pose.pkl"),
    ),
)
