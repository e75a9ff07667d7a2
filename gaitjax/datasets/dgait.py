"""D-Gait: walks of people with and without a depression, who are called D_000 or N_192.

One of the twelve sets that FoundationGait learnt from (Ye et al., arXiv:2512.00691), which also
tells who is depressed: those whose sequences have a D in their type. OpenGait has the split, but
nothing that prepares the data; silhouettes are taken from the only pickle of a sequence.
"""

from gaitjax.datasets import Dataset

DATASET = Dataset(
    title="D-Gait",
    files={"silhouette": "*.pkl"},
    partition="OpenGait's datasets/D-Gait/D-Gait.json",
    labels={"diagnosis": {"*d*": 1, "*": 0}},
    expected={"train": 194, "test": 98},
)
