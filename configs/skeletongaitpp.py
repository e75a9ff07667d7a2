"""SkeletonGait++ (Fan et al., AAAI 2024) on the datasets of SETTINGS, or on data of one's own."""

from ml_collections import ConfigDict

from configs import common, deepgaitv2


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "skeletongaitpp"
    config.model.inference_head = "fc"
    deepgaitv2.residual_network(config)
    config.schedule.milestones = (20_000, 30_000, 40_000)
    deepgaitv2.augment(config, "silhouette", "heatmap")
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
    for modality, (perspective, cut, *others) in config.data.transforms.items():
        config.data.transforms[modality] = (cut, perspective, *others)


SETTINGS = {
    "synthetic": synthetic,
    "gait3d": gait3d,
    "grew": deepgaitv2.grew,
    "ccpg": deepgaitv2.casia_b,
    "sustech1k": deepgaitv2.sustech1k,
    "folder": deepgaitv2.casia_b,
}
