"""Scoliosis1K: 1,493 walks of adolescents, and whether a doctor found their spine curved.

Zhou et al., "Gait patterns as biomarkers: a video-based approach for classifying scoliosis", MICCAI
2024. Nobody is searched for: a sequence is classified by its type, Positive, Neutral or Negative.
There are four splits, in which the classes are as 1 : 1 : 2, 4, 8 or 16.
"""

from gaitjax.datasets import Dataset

DATASET = Dataset(
    title="Scoliosis1K",
    files={"silhouette": "{view}.pkl|*.pkl"},
    partition="one of OpenGait's datasets/Scoliosis1K/Scoliosis1K_{112,114,118,1116}.json",
    labels={"diagnosis": {"negative": 0, "neutral": 1, "positive": 2}},
)
