"""ScoNet (Zhou et al., MICCAI 2024), which diagnoses scoliosis, on the datasets of SETTINGS."""

from ml_collections import ConfigDict

from configs import common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "sconet"
    config.model.modality = "silhouette"
    gaitbase.kin(config)
    config.losses.softmax.labels = "diagnosis"
    config.data.sampler.update(identities=8, sequences=8)
    config.train.steps = 20_000
    config.schedule.milestones = (10_000, 14_000, 18_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def scoliosis1k(config: ConfigDict) -> None:
    """All as it is by default."""


SETTINGS = {"synthetic": gaitbase.synthetic, "scoliosis1k": scoliosis1k}
