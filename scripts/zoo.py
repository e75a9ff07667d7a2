"""Writes the page of all networks: what was published of each, and what it costs.

    python scripts/zoo.py gaitjax/models/ZOO.md

Parameters and multiply-adds are counted from the configs; the scores are OpenGait's.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gaitjax import datasets  # noqa: E402
from gaitjax.describe import describe  # noqa: E402
from gaitjax.interop import opengait  # noqa: E402
from scripts import check_configs  # noqa: E402


class Published(NamedTuple):
    """What OpenGait says of a config.

    Attributes:
        saved: the name that its checkpoints begin with.
        score: rank-1 in percent, by condition where there are several; '' where none is published.
        steps: in the checkpoint's name, where it is not those of our config.
    """

    saved: str
    score: str = ""
    steps: int = 0


CONFIGS = {
    "gaitset:casia_b": Published("GaitSet", "NM 95.8, BG 90.0, CL 75.4"),
    "gaitset:oumvlp": Published("GaitSet", "87.2"),
    "gaitset:grew": Published("GaitSet", "48.4"),
    "gaitset:casia_e": Published("GaitSet", "NM 82.54, BG 75.26, CL 62.53"),
    "gaitset:gait3d_parsing": Published("GaitSet", "55.9"),
    "gaitpart:casia_b": Published("GaitPart", "NM 96.1, BG 90.7, CL 78.7"),
    "gaitpart:oumvlp": Published("GaitPart", "88.6"),
    "gaitpart:grew": Published("GaitPart", "47.6"),
    "gaitpart:casia_e": Published("GaitPart", "NM 82.92, BG 74.36, CL 60.48"),
    "gaitpart:gait3d_parsing": Published("GaitPart", "43.0"),
    "gln:casia_b": Published("GLN_P1"),
    "gln:casia_b_phase2": Published("GLN_P2", "NM 96.4, BG 93.1, CL 81.0"),
    "gln:gait3d_parsing": Published("GLN_P1"),
    "gln:gait3d_parsing_phase2": Published("GLN_P2", "45.7"),
    "gaitgl:casia_b": Published("GaitGL", "NM 97.4, BG 94.5, CL 83.8"),
    "gaitgl:casia_b_star": Published("GaitGL", "NM 94.2, BG 90.0, CL 81.4"),
    "gaitgl:oumvlp": Published("GaitGL", "89.9"),
    "gaitgl:grew": Published("GaitGL", "41.5"),
    "gaitgl:grew_bnneck": Published("GaitGL_BNNeck", "51.7"),
    "gaitgl:gait3d_parsing": Published("GaitGL", "47.7"),
    "gaitbase:casia_b": Published("GaitBase_DA", "NM 97.6, BG 94.0, CL 77.4"),
    "gaitbase:oumvlp": Published("GaitBase", "90.8"),
    "gaitbase:grew": Published("GaitBase_DA", "60.1"),
    "gaitbase:gait3d": Published("GaitBase_DA", "64.6"),
    "gaitbase:gait3d_parsing": Published("GaitBase_btz32x2_fixed", "71.2"),
    "gaitbase:casia_e": Published("GaitBase", "NM 91.59, BG 86.65, CL 74.73"),
    "gaitbase:ccpg": Published("GaitBase"),
    "gaitbase:hid": Published("Baseline", "68.7 (2022)"),
    "deepgaitv2:casia_b": Published("DeepGaitV2"),
    "deepgaitv2:oumvlp": Published("DeepGaitV2", "92.0 (3d)"),
    "deepgaitv2:grew": Published("DeepGaitV2", "79.4 (3d)"),
    "deepgaitv2:gait3d": Published("DeepGaitV2", "74.4"),
    "deepgaitv2:ccpg": Published("DeepGaitV2"),
    "deepgaitv2:sustech1k": Published("DeepGaitV2", "82.4"),
    "swingait:grew": Published("SwinGait3D_B1442_C2", "79.3"),
    "swingait:gait3d": Published("SwinGait3D_B1442_C2", "75.0"),
    "swingait:ccpg": Published("SwinGait3D_B1122_C2"),
    "swingait:sustech1k": Published("SwinGait3D_B1122_C2", "79.7"),
    "skeletongait:oumvlp": Published("SkeletonGait", "67.4"),
    "skeletongait:grew": Published("SkeletonGait", "77.4"),
    "skeletongait:gait3d": Published("SkeletonGait", "38.1"),
    "skeletongait:ccpg": Published("SkeletonGait", "CL 52.4, UP 65.4, DN 72.8, BG 80.9"),
    "skeletongait:sustech1k": Published("SkeletonGait", "51.46"),
    "skeletongaitpp:grew": Published("SkeletonGaitPP", "85.8"),
    "skeletongaitpp:gait3d": Published("SkeletonGaitPP", "77.6"),
    "skeletongaitpp:ccpg": Published("SkeletonGaitPP", "CL 90.1, UP 95.0, DN 92.9, BG 97.0"),
    "skeletongaitpp:sustech1k": Published("SkeletonGaitPP", "85.6"),
    "multigaitpp:grew": Published("MultiGaitpp"),
    "multigaitpp:gait3d": Published("MultiGaitpp"),
    "multigaitpp:ccpg": Published("MultiGaitpp", steps=600_000),
    "multigaitpp:sustech1k": Published("MultiGaitpp"),
    "denoisinggait:casia_b": Published("DenoisingGait_casiab"),
    "denoisinggait:ccpg": Published("GaitBasefusion_p0.5_threshold0.5_test_daFalse_8416"),
    "denoisinggait:sustech1k": Published("DenoisingGait_sustech1k"),
    "parsinggait:gait3d_parsing": Published("ParsingGait", "76.2"),
    "smplgait:gait3d": Published("SMPLGait", "48.3"),
    "smplgait:gait3d_parsing": Published("SMPLGait", "60.6"),
    "lidargait:sustech1k": Published("LidarGait", "86.8"),
    "lidargaitpp:sustech1k": Published("lidargaitv2"),
    "lidargaitpp:freegait": Published("lidargaitv2"),
    "sconet:scoliosis1k": Published("ScoNet"),
    "gaitssb_pretrain:gaitlu_1m": Published("GaitSSB_Pretrain"),
    "gaitssb_finetune:casia_b": Published("GaitSSB_Finetune"),
    "gaitssb_finetune:oumvlp": Published("GaitSSB_Finetune"),
    "gaitssb_finetune:grew": Published("GaitSSB_Finetune"),
    "gaitssb_finetune:gait3d": Published("GaitSSB_Finetune"),
    "foundationgait_pretrain:gait3d": Published("FoundationGait_L1484_C8421"),
    "foundationgait_pretrain:gait3d_large": Published("FoundationGait_L143216_C8421"),
    "foundationgait_finetune:ccpg": Published("FoundationGait_Scaling_L1484_C4821_B1632_wd0"),
    "foundationgait_finetune:ccpg_large": Published(
        "FoundationGait_Scaling_L143216_C4821_B832_Stage1of1_10k_wd5_C8421"
    ),
    "foundationgait_finetune:gait3d": Published(
        "1_FoundationGait_Scaling_L1484_C21_B1284_Stage1of1_5k_wd0"
    ),
    "foundationgait_finetune:ccgr_mini": Published(
        "1_FoundationGait_Scaling_L143216_C4821_B3216_Stage1of1_6k_wd0"
    ),
    "foundationgait_probe:scoliosis1k": Published(
        "FoundationGait_L143216_C21_J112_Concat_NoTri_skip30"
    ),
    "foundationgait_probe:scoliosis1k_finetune": Published(
        "FoundationGait_L143216_C1_J112_Concat_NoTri_skip30_Finetune_C8421_wiTri"
    ),
    "msgg:oumvlp": Published("MSGG_OUMVLP"),
    "msgg:sustech1k": Published("MSGG_SUSTech1K"),
    "gaittr:oumvlp": Published("GaitTR", "40.31"),
    "gaittr:oumvlp17": Published("GaitTR_17", "39.78"),
    "gaittr:grew": Published("GaitTR", "48.60"),
    "gaittr:gait3d": Published("GaitTR", "7.20"),
    "gaittr:ccpg": Published("GaitTR-CCPG"),
    "gaittr:sustech1k": Published("GaitTR-SUSTech1k"),
    "gaitgraph1:casia_b": Published("GaitGraph1_phase1"),
    "gaitgraph1:oumvlp": Published("GaitGraph1_phase1", "2.81"),
    "gaitgraph1:oumvlp17": Published("GaitGraph1_phase1_17", "4.25"),
    "gaitgraph1:grew": Published("GaitGraph1_phase1", "9.82"),
    "gaitgraph1:gait3d": Published("GaitGraph1_phase1", "9.00"),
    "gaitgraph2:casia_b": Published("GaitGraph2"),
    "gaitgraph2:oumvlp": Published("GaitGraph2_phase2", "62.10"),
    "gaitgraph2:oumvlp17": Published("GaitGraph2_phase2_17", "70.75"),
    "gaitgraph2:grew": Published("GaitGraph2", "34.61"),
    "gaitgraph2:gait3d": Published("GaitGraph2", "11.00"),
    "gaitgraph2:ccpg": Published("GaitGraph2"),
    "gaitgraph2:sustech1k": Published("GaitGraph2"),
    "segmentation:casia_b_star": Published("Segmentation"),
    "biggait:ccpg": Published("BigGait__Dinov2_Gaitbase_Frame30"),
    "biggait:sustech1k": Published("BigGait__Dinov2_Gaitbase_Frame30"),
    "biggait:ccgr_mini": Published("BigGait__Dinov2_Gaitbase_Frame30"),
    "biggergait:ccpg": Published("BiggerGait__Dinov2"),
    "biggergait:ccpg_grouped": Published("BiggerGait__Dinov2_Group"),
    "gaitedge:casia_b_star": Published("GaitEdge", "NM 97.9, BG 96.1, CL 86.4"),
    "gaitedge:casia_b_star_e2e": Published("GaitGL_E2E", "NM 99.1, BG 98.2, CL 89.1"),
}
LARGE = ("hid", "casia_b_star")  # datasets with frames of 128 x 128
HEAD = """# The zoo

Written by `scripts/zoo.py`: change that, not this. Scores are rank-1 in percent, as OpenGait
publishes them for the weights in its checkpoint of that name; gaitjax reads these weights
(`python -m gaitjax.convert`) and gives their embeddings, but nobody has trained the networks anew
with gaitjax on these datasets. SUSTech1K is over all conditions. Parameters leave out the head that
tells the training identities apart, whose size is beside them for the published split;
multiply-adds are per frame, of 30 frames that are stored as squares of 64 pixels, of 128 for GLN on
CASIA-B, HID and GaitEdge.

| config | published | OpenGait's checkpoint | parameters | head | multiply-adds |
|---|---|---|---|---|---|
"""
TAIL = """
## Whom to cite

| network | paper |
|---|---|
| GaitSet | Chao et al., Regarding gait as a set for cross-view gait recognition, AAAI 2019 |
| GaitPart | Fan et al., Temporal part-based model for gait recognition, CVPR 2020 |
| GLN | Hou et al., Gait lateral network, ECCV 2020 |
| GaitGL | Lin et al., Effective global-local feature representation, ICCV 2021 |
| GaitBase | Fan et al., OpenGait, CVPR 2023 |
| DeepGaitV2, SwinGait | Fan et al., Exploring deep models, arXiv:2303.03301 |
| SkeletonGait, SkeletonGait++ | Fan et al., SkeletonGait, AAAI 2024 |
| MultiGait++ | Jin et al., Exploring more from multiple gait modalities, AAAI 2025 |
| DenoisingGait | Jin et al., On denoising walking videos for gait recognition, CVPR 2025 |
| ParsingGait | Zheng et al., Parsing is all you need, ACM MM 2023 |
| SMPLGait | Zheng et al., Gait recognition in the wild with dense 3D, CVPR 2022 |
| LidarGait | Shen et al., LidarGait, CVPR 2023 |
| LidarGait++ | Shen et al., LidarGait++, CVPR 2025 |
| ScoNet | Zhou et al., Gait patterns as biomarkers, MICCAI 2024 |
| GaitSSB | Fan et al., Massive unlabelled walking videos, TPAMI 2023 |
| FoundationGait | Ye et al., Silhouette-based gait foundation model, arXiv:2512.00691 |
| BigGait | Ye et al., BigGait: learning gait representation you want, CVPR 2024 |
| BiggerGait | Ye et al., BiggerGait: layer-wise representations, NeurIPS 2025 |
| GaitEdge | Liang et al., GaitEdge, ECCV 2022 |
| MSGG | Peng et al., Learning rich features by integrating skeletons and silhouettes, 2023 |
| GaitTR | Zhang et al., Spatial transformer network, Expert Systems 2023 |
| GaitGraph | Teepe et al., GaitGraph, ICIP 2021 |
| GaitGraph2 | Teepe et al., Towards a deeper understanding, CVPR Workshops 2022 |

The networks, their settings and these scores are the work of their authors and of OpenGait
(https://github.com/ShiqiYu/OpenGait), which is for academic use only; so are its checkpoints.
gaitjax is written anew from the papers and from numbers that OpenGait computes.
"""


def page() -> str:
    """The whole page, in Markdown."""
    return HEAD + "".join(f"{row(name)}\n" for name in CONFIGS) + TAIL


def row(name: str) -> str:
    """What is known of a config, as a row of the table.

    Args:
        name: NAME:DATASET.
    """
    published, config = CONFIGS[name], check_configs.config_of(name)
    key = config.data.dataset
    large = (key in LARGE and config.network != "gaitgl") or name.startswith("gln:casia_b")
    dataset = datasets.get(key)
    classes = dataset.expected.get("train") or check_configs.IDENTITIES.get(key, 0)
    if dataset.labels and config.network in ("sconet", "foundationgait_probe"):
        classes = len(dataset.labels["diagnosis"])
    joints = check_configs.shapes_of(config)["pose"][0]
    card = describe(config, classes, 128 if large else 64, joints)
    theirs = next(model for model, ours in opengait.NETWORKS.items() if ours == config.network)
    saved = f"{published.saved}-{published.steps or config.train.steps:05d}.pt"
    cells = (
        f"`{name}`",
        published.score,
        f"{dataset.title}: `{theirs}/{published.saved}/checkpoints/{saved}`",
        f"{card.parameters / 1e6:.3f} M",
        f"{card.head / 1e6:.3f} M" if card.head else "",
        f"{card.multiply_adds / 1e9:.3f} G",
    )
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """Writes the page to the path on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path, help="the Markdown file to write")
    parser.parse_args().path.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    os.environ["JAX_PLATFORMS"] = "cpu"
    main()
