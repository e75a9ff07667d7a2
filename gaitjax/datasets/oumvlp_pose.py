"""OUMVLP-Pose: OU-MVLP as 18 key points, found by OpenPose or AlphaPose.

An et al., "Performance evaluation of model-based gait on multi-view very large population database
with pose sequences", IEEE T-BIOM 2(4), 2020. Distributed as a JSON for each frame, which lists the
people that were found in it; frames without anybody are left out. Where the input holds the
silhouettes of `oumvlp` too, unpacked as folders Silhouette_VVV-SS on its first level, the person is
the one who covers the silhouette best; elsewhere whoever is nearest to the person of the frame
before. Of OpenPose's joints COCO's 17 are 0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13 and
10, in this order: what the transform `choose_joints` takes.
"""

import dataclasses

from gaitjax.datasets import oumvlp

DATASET = dataclasses.replace(
    oumvlp.DATASET,
    title="OUMVLP-Pose",
    files={"pose": "{view}.pkl|*pose.pkl"},
    raw=(dataclasses.replace(oumvlp.RAW_POSE, pickle="{view}.pkl"),),
)
