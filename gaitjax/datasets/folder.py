"""Data of one's own in `root/identity/type/view/*.pkl`: one pickle a modality, named after it.

Where a folder holds nothing but silhouettes, their pickle may have any name.
"""

from gaitjax.datasets import Dataset

OTHERS = ("depth", "flow", "heatmap", "latents", "mask", "parsing", "pose", "ratio", "rgb", "smpl")

DATASET = Dataset(
    title="own data",
    files={
        "silhouette": "*silhouette.pkl|*sil.pkl|*.pkl",
        **{modality: f"*{modality}.pkl" for modality in OTHERS},
    },
    partition='write one: {"TRAIN_SET": [identities], "TEST_SET": [identities]}',
)
