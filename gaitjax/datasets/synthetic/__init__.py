"""Synthetic walkers: people who never were, walking past CASIA-B's cameras.

Bodies walk in a 3-D world (body, gait, flesh, clothing), cameras record them (camera, render,
noise, keypoints, lidar), and `generate` writes what `modalities` records of each shot as a dataset.
"""

from gaitjax.datasets import Dataset, casia_b
from gaitjax.datasets.synthetic.generate import generate
from gaitjax.datasets.synthetic.modalities import RECORDERS
from gaitjax.datasets.synthetic.options import VERSION, cache_name

__all__ = ["DATASET", "VERSION", "cache_name"]

DATASET = Dataset(
    title="synthetic walkers",
    files={modality: f"{modality}.pkl" for modality in RECORDERS},
    protocols=casia_b.DATASET.protocols,
    split=None,  # how many train is an option: `generate` writes the partition JSON into the root
    partition="it is written into data.root as partition.json when the walkers are made",
    # Something that a walk shows, for networks that diagnose: nothing, a bag or a coat.
    labels={"diagnosis": {"nm-*": 0, "bg-*": 1, "cl-*": 2}},
    generate=generate,
)
