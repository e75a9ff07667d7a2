"""Synthetic walkers: people who never were, walking past CASIA-B's cameras.

Bodies walk in a 3-D world (body, gait, flesh, clothing), cameras record them (camera, render,
noise, keypoints), and `generate` writes the recordings as a dataset. Depth, parsing, points or RGB
are to be further recordings of the same `sequence.Walk`.
"""

from gaitjax.datasets import Dataset, Protocol
from gaitjax.datasets.synthetic.generate import generate
from gaitjax.datasets.synthetic.options import VERSION, cache_name

__all__ = ["DATASET", "VERSION", "cache_name"]

DATASET = Dataset(
    title="synthetic walkers",
    files={"silhouette": "silhouette.pkl", "pose": "pose.pkl"},
    protocol=Protocol(
        gallery=("nm-0[1-4]",),
        probes={"NM": ("nm-0[56]",), "BG": ("bg-0[12]",), "CL": ("cl-0[12]",)},
        gallery_views="single",
        exclude="view",
    ),
    split=None,  # how many train is an option: `generate` writes the partition JSON into the root
    partition="it is written into data.root as partition.json when the walkers are made",
    generate=generate,
)
