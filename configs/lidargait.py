"""LidarGait (Shen et al., CVPR 2023): GaitBase on depth images, on the datasets of SETTINGS."""

from ml_collections import ConfigDict

from configs import common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitbase"
    config.model.modality = "depth"
    gaitbase.kin(config)
    config.data.modalities = ("depth",)
    config.data.transforms = ConfigDict({"depth": ({"type": "silhouette"},)})  # nothing is cut
    config.data.sampler.update(identities=8, sequences=8)
    config.data.frames.number = 10
    config.train.steps = 40_000
    config.schedule.milestones = (20_000, 30_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def sustech1k(config: ConfigDict) -> None:
    """All as it is by default."""


SETTINGS = {"synthetic": gaitbase.synthetic, "sustech1k": sustech1k}
