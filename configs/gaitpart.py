"""GaitPart (Fan et al., CVPR 2020) on the datasets of SETTINGS, or on data of one's own."""

from ml_collections import ConfigDict

from configs import common, gaitset


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitpart"
    config.model.modality = "silhouette"
    config.model.backbone = ConfigDict(
        {
            "type": "plain",
            "layers": ("BC-32", "BC-32", "M", "FC-64-2", "FC-64-2", "M", "FC-128-3", "FC-128-3"),
        }
    )
    config.model.embedding = 128
    config.model.bins = (16,)
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.2, "per_identity": picked.get_ref("sequences")}
    )
    config.data.frames.update(order="ordered", skip=10)
    config.train.steps = 120_000
    config.schedule.milestones = (100_000,)
    common.adam(config, 1e-4, 0.0)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """Half the layers, half the channels, a quarter of the embedding, few frames."""
    common.synthetic(config)
    config.model.backbone.layers = ("BC-16", "M", "FC-32-2", "M", "FC-64-3")
    config.model.embedding = 32


def casia_b(config: ConfigDict) -> None:
    """All as it is by default."""


def oumvlp(config: ConfigDict) -> None:
    """A deeper network, larger batches, more steps."""
    _deep(config)
    config.data.sampler.update(identities=32, sequences=16)
    config.train.steps = 250_000
    config.schedule.milestones = (150_000,)


def grew(config: ConfigDict) -> None:
    """As OU-MVLP, with a quarter of the batch."""
    oumvlp(config)
    config.data.sampler.sequences = 4


def casia_e(config: ConfigDict) -> None:
    """A deeper network, many sequences of each identity."""
    _deep(config)
    config.data.sampler.update(identities=8, sequences=32)


def _deep(config: ConfigDict) -> None:
    config.model.backbone.layers = (
        *("BC-32", "BC-32", "M"),
        *("BC-64", "BC-64", "M"),
        *("FC-128-3", "FC-128-3"),
        *("FC-256-3", "FC-256-3"),
    )
    config.model.embedding = 256


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "oumvlp": oumvlp,
    "grew": grew,
    "casia_e": casia_e,
    "gait3d_parsing": gaitset.gait3d_parsing,
    "folder": casia_b,
}
