"""Gait3D-Parsing: the sequences of Gait3D as maps of eleven body parts.

Zheng et al., "Parsing is all you need for accurate gait recognition in the wild", ACM MM 2023.
Parts: 1 head, 2 torso, 3 and 4 left and right arm, 5 and 6 hand, 7 and 8 leg, 9 and 10 foot, 11
dress. Alone, as the folder 2D_Parsings, or beside the folders of Gait3D, whose frames have the same
numbers.
"""

from gaitjax.datasets import Dataset, Raw, gait3d, readers

DATASET = Dataset(
    title="Gait3D-Parsing",
    files={
        "parsing": "pars-*.pkl|{view}.pkl",
        "silhouette": "sils-*.pkl",
        "smpl": "smpls-*.pkl",
    },
    protocols=gait3d.DATASET.protocols,
    partition=gait3d.DATASET.partition,
    expected=gait3d.DATASET.expected,
    raw=(
        Raw(
            "parsing",
            r"^(?!.*Silhouette).*?" + gait3d.FRAME + r"\.png$",
            readers.parsing,
            "pars-{view}.pkl",
        ),
        Raw(
            "silhouette",
            r"Silhouette.*?" + gait3d.FRAME + r"\.png$",
            readers.silhouette,
            "sils-{view}.pkl",
        ),
        gait3d.RAW_SMPL,
    ),
)
