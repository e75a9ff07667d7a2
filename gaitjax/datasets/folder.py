"""Data of one's own in `root/identity/type/view/*.pkl`: one pickle of silhouettes a folder."""

from gaitjax.datasets import Dataset

DATASET = Dataset(
    title="own data",
    files={"silhouette": "*.pkl"},
    partition='write one: {"TRAIN_SET": [identities], "TEST_SET": [identities]}',
)
