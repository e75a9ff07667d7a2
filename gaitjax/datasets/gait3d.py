"""Gait3D: 4,000 people in a supermarket, seen by 39 cameras.

Zheng et al., "Gait recognition in the wild with dense 3D representations and a benchmark", CVPR
2022. Its probes are a list of sequences, not a rule.
"""

from gaitjax.datasets import Dataset

DATASET = Dataset(
    title="Gait3D",
    files={
        "silhouette": "sils-*.pkl|*sil.pkl|*.pkl",
        "smpl": "smpls-*.pkl",
        "heatmap": "*heatmap.pkl",
        "parsing": "*parsing.pkl",
    },
    partition="OpenGait's datasets/Gait3D/Gait3D.json",
    expected={"train": 3_000, "test": 1_000},
)
