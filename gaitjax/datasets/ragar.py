"""RAGAR: walks of people whose attributes are known.

One of the twelve sets that FoundationGait learnt from (Ye et al., arXiv:2512.00691). OpenGait has
the split, but nothing that prepares the data; silhouettes are taken from the only pickle of a
sequence. A type holds the values of the attributes, such as `text_0_2`: whoever trains on them
states in a dataset of their own which attributes these are, `{"age": {"*_*_2": 2, ...}}`.
"""

from gaitjax.datasets import Dataset

DATASET = Dataset(
    title="RAGAR",
    files={"silhouette": "*.pkl"},
    partition="OpenGait's datasets/RAGAR/ragar.json",
    expected={"train": 250, "test": 283},
)
