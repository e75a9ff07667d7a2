"""SMPLGait (Zheng et al., CVPR 2022) on the datasets of SETTINGS."""

from ml_collections import ConfigDict

from configs import common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "smplgait"
    config.model.modality = "silhouette"
    gaitbase.kin(config)
    config.model.backbone = _plain(64, 128, 256)
    config.model.bins = (16, 8, 4, 2, 1)
    config.model.dropout = 0.2
    config.losses.softmax.weight = 0.1
    config.data.modalities = ("silhouette", "smpl")
    config.data.sampler.update(identities=32, sequences=4)
    config.train.steps = 60_000
    config.schedule.milestones = (20_000, 40_000, 50_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def _plain(first: int, second: int, third: int) -> ConfigDict:
    """Pairs of convolutions with so many channels, and a pool between two pairs."""
    one, two, three = (f"BC-{channels}" for channels in (first, second, third))
    return ConfigDict({"type": "plain", "layers": (one, one, "M", two, two, "M", three, three)})


def synthetic(config: ConfigDict) -> None:
    """A quarter of the channels."""
    common.synthetic(config)
    config.model.backbone = _plain(16, 32, 64)
    config.model.embedding = 64


def gait3d(config: ConfigDict) -> None:
    """All as it is by default."""


def gait3d_parsing(config: ConfigDict) -> None:
    """Body parts instead of silhouettes; Adam, three times as many steps, cosine distances."""
    config.model.modality = "parsing"
    config.data.modalities = ("parsing", "smpl")
    config.data.transforms = ConfigDict({"parsing": ({"type": "parsing_cut"},)})
    config.train.steps = 180_000
    config.schedule.milestones = (30_000, 90_000)
    config.evaluation.metric = "cosine"
    common.adam(config, 1e-3, 5e-4)


SETTINGS = {"synthetic": synthetic, "gait3d": gait3d, "gait3d_parsing": gait3d_parsing}
