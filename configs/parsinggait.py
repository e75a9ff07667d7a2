"""ParsingGait (Zheng et al., ACM MM 2023) on the datasets of SETTINGS."""

from ml_collections import ConfigDict

from configs import common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "parsinggait"
    gaitbase.kin(config)
    config.model.graphs = ("coarse",)
    config.model.dropout = 0.5
    config.data.modalities = ("parsing",)
    config.data.transforms = ConfigDict({"parsing": ({"type": "parsing_cut"},)})
    config.data.sampler.update(identities=32, sequences=2)
    config.train.steps = 120_000
    config.schedule.milestones = (40_000, 80_000, 100_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def gait3d_parsing(config: ConfigDict) -> None:
    """All as it is by default."""


SETTINGS = {"synthetic": gaitbase.synthetic, "gait3d_parsing": gait3d_parsing}
