"""GaitSet (Chao et al., AAAI 2019) on the datasets of SETTINGS, or on data of one's own."""

from ml_collections import ConfigDict

from configs import common


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitset"
    config.model.modality = "silhouette"
    config.model.channels = (32, 64, 128)
    config.model.embedding = 256
    config.model.bins = (16, 8, 4, 2, 1)
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.2, "per_identity": picked.get_ref("sequences")}
    )
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """Half the channels, a quarter of the embedding, few frames: for two CPU cores."""
    common.synthetic(config)
    config.model.channels = (16, 32, 64)
    config.model.embedding = 64


def casia_b(config: ConfigDict) -> None:
    """40k steps of SGD."""
    config.train.steps = 40_000
    config.schedule.milestones = (10_000, 20_000, 30_000)


def oumvlp(config: ConfigDict) -> None:
    """A network twice as wide, Adam."""
    _wide(config)
    common.adam(config, 1e-4, 0.0)
    config.data.sampler.update(identities=32, sequences=16)
    config.train.steps = 250_000
    config.schedule.milestones = (150_000,)


def grew(config: ConfigDict) -> None:
    """As OUMVLP, with other batches."""
    oumvlp(config)
    config.data.sampler.update(identities=32, sequences=4)


def casia_e(config: ConfigDict) -> None:
    """A network twice as wide, SGD."""
    _wide(config)
    config.data.sampler.update(identities=8, sequences=32)
    config.train.steps = 60_000
    config.schedule.milestones = (20_000, 40_000, 50_000)


def gait3d_parsing(config: ConfigDict) -> None:
    """Body parts, Adam at a larger rate, and cosine distances."""
    config.model.modality = "parsing"
    config.data.modalities = ("parsing",)
    config.data.transforms = ConfigDict({"parsing": ({"type": "parsing_cut"},)})
    config.data.sampler.update(identities=32, sequences=4)
    config.train.steps = 180_000
    config.schedule.milestones = (30_000, 90_000)
    common.adam(config, 1e-3, 5e-4)
    config.evaluation.metric = "cosine"


def _wide(config: ConfigDict) -> None:
    config.model.channels = (64, 128, 256)


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "oumvlp": oumvlp,
    "grew": grew,
    "casia_e": casia_e,
    "gait3d_parsing": gait3d_parsing,
    "folder": casia_b,
}
