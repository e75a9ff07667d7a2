"""CCGR-Mini: of every covariate of CCGR one view, drawn by chance.

Zou et al., "Cross-covariate gait recognition: a benchmark", AAAI 2024. Its gallery is a list of
sequences, not a rule.
"""

import dataclasses

from gaitjax.datasets import LISTED, Protocol, ccgr

DATASET = dataclasses.replace(
    ccgr.DATASET,
    title="CCGR-Mini",
    protocols={
        "listed": Protocol(
            gallery=("{GALLERY_SET}",),
            probes={"CCGR-Mini": ("*", "!{GALLERY_SET}")},
            gallery_views="all",
            exclude="none",
            match=LISTED,
        )
    },
    partition="OpenGait's datasets/CCGR-MINI/CCGR-MINI.json",
    expected={**ccgr.DATASET.expected, "sequences": 47_884},
)
