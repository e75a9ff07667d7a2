"""SkeletonGait (Fan et al., AAAI 2024) on the datasets of SETTINGS: DeepGaitV2 on skeleton maps.

The maps are drawn of poses, on the device; config.data.modalities=("heatmap",) reads prepared ones.
"""

from ml_collections import ConfigDict

from configs import common, deepgaitv2

SKELETON_MAP = {"type": "skeleton_map", "sigma": 8.0}


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "deepgaitv2"
    config.model.modality = "heatmap"
    config.model.mode = "p3d"
    config.model.inference_head = "fc"
    deepgaitv2.residual_network(config)
    config.schedule.milestones = (20_000, 30_000, 40_000)
    deepgaitv2.augment(config, "heatmap")
    draw_maps(config)
    common.choose(SETTINGS, dataset)(config)
    return config


def draw_maps(config: ConfigDict) -> None:
    """Reads poses in place of skeleton maps, and draws them before the maps' other transforms."""
    names = config.data.modalities
    config.data.modalities = tuple("pose" if name == "heatmap" else name for name in names)
    config.data.transforms.pose = ({"type": "complete_joints"},)
    config.data.transforms.heatmap = (SKELETON_MAP, *config.data.transforms.heatmap)


def ccpg(config: ConfigDict) -> None:
    """Prepared maps, as its poses are not distributed; embeds by the BNNecks."""
    config.data.modalities = ("heatmap",)
    config.model.inference_head = "bnneck"


def oumvlp(config: ConfigDict) -> None:
    """Larger batches, twice as many steps, only mirrored."""
    deepgaitv2.oumvlp(config)
    flip = {"type": "flip", "probability": 0.5}
    config.data.transforms.heatmap = (SKELETON_MAP, deepgaitv2.CUT, flip)


def sustech1k(config: ConfigDict) -> None:
    """Smaller batches of a few frames in any order, fewer steps."""
    deepgaitv2.sustech1k(config)
    config.data.frames.update(order="unordered", skip=0)


SETTINGS = {
    "synthetic": deepgaitv2.synthetic,
    "oumvlp": oumvlp,
    "gait3d": deepgaitv2.gait3d,
    "grew": deepgaitv2.grew,
    "ccpg": ccpg,
    "sustech1k": sustech1k,
    "folder": deepgaitv2.casia_b,
}
