"""CASIA-B*: CASIA-B, segmented anew from its videos, with colours.

Liang et al., "GaitEdge: beyond plain end-to-end gait recognition for better practicality", ECCV
2022. Beside the aligned silhouettes of 64 x 44 a sequence has what they were made from: boxes
around the person, stretched to 128 x 128, in colour and as masks, and their width / height. What
the authors send is the prepared tree.
"""

from gaitjax.datasets import Dataset, casia_b

DATASET = Dataset(
    title="CASIA-B*",
    files={
        "silhouette": "*-aligned-sils.pkl",
        "ratio": "*-ratios.pkl",
        "rgb": "*-rgbs.pkl",
        "mask": "{view}-sils.pkl",
    },
    protocols=casia_b.DATASET.protocols,
    split=casia_b.split,
    expected=casia_b.DATASET.expected,
)
