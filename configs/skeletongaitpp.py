"""SkeletonGait++ (Fan et al., AAAI 2024) on the datasets of SETTINGS, or on data of one's own.

The maps are drawn of poses, as in `skeletongait`; ("silhouette", "heatmap") reads prepared ones.
"""

from ml_collections import ConfigDict

from configs import common, deepgaitv2, skeletongait


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "skeletongaitpp"
    config.model.inference_head = "fc"
    deepgaitv2.residual_network(config)
    config.schedule.milestones = (20_000, 30_000, 40_000)
    deepgaitv2.augment(config, "silhouette", "heatmap")
    skeletongait.draw_maps(config)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """An eighth of most channels and fewer steps, since there are two branches at full size."""
    deepgaitv2.synthetic(config)
    config.model.channels = (16, 16, 32, 64)
    config.train.steps = 100


def gait3d(config: ConfigDict) -> None:
    """A deeper network; the maps are cut first, since the silhouettes are 44 columns wide."""
    deepgaitv2.gait3d(config)
    perspective, cut, *others = config.data.transforms.silhouette
    config.data.transforms.silhouette = (cut, perspective, *others)
    config.data.transforms.heatmap = (skeletongait.SKELETON_MAP, cut, perspective, *others)


def ccpg(config: ConfigDict) -> None:
    """Prepared maps, as its poses are not distributed."""
    config.data.modalities = ("silhouette", "heatmap")


SETTINGS = {
    "synthetic": synthetic,
    "gait3d": gait3d,
    "grew": deepgaitv2.grew,
    "ccpg": ccpg,
    "sustech1k": deepgaitv2.sustech1k,
    "folder": deepgaitv2.casia_b,
}
