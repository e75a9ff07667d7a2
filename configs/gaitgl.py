"""GaitGL (Lin et al., ICCV 2021) on the datasets of SETTINGS, or on data of one's own."""

from ml_collections import ConfigDict

from configs import common, gaitset


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitgl"
    config.model.channels = (32, 64, 128)
    config.model.parts = 64
    config.model.necks = False
    config.model.modality = "silhouette"
    config.model.remat = False  # True: less memory, a third more time
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.2, "per_identity": picked.get_ref("sequences")}
    )
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "scale": 1.0, "label_smoothing": 0.0, "log_accuracy": True}
    )
    config.data.sampler.update(identities=8, sequences=8)
    config.data.frames.order = "ordered"
    config.train.steps = 80_000
    config.schedule.milestones = (70_000,)
    common.adam(config, 1e-4, 5e-4)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """A quarter of the channels, and no more frames than two steps in time need."""
    common.synthetic(config)
    config.model.channels = (8, 16, 32)
    config.data.frames.number = 6


def casia_b(config: ConfigDict) -> None:
    """All as it is by default."""


def casia_b_star(config: ConfigDict) -> None:
    """Silhouettes that are 44 columns wide already: the first phase of GaitEdge."""
    config.data.transforms.silhouette = ({"type": "silhouette"},)


def oumvlp(config: ConfigDict) -> None:
    """A deeper network, larger batches, smoothed labels, no weight decay."""
    config.model.channels = (32, 64, 128, 256)
    config.losses.softmax.label_smoothing = 0.1
    config.data.sampler.update(identities=32, sequences=8)
    config.train.steps = 210_000
    config.schedule.milestones = (150_000, 200_000)
    common.adam(config, 1e-4, 0.0)


def grew(config: ConfigDict) -> None:
    """As OU-MVLP, with half of the batch and more steps."""
    oumvlp(config)
    config.data.sampler.sequences = 4
    config.train.steps = 250_000


def grew_bnneck(config: ConfigDict) -> None:
    """GREW, with a BNNeck a part."""
    grew(config)
    config.data.dataset = "grew"
    config.model.necks = True


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "casia_b_star": casia_b_star,
    "oumvlp": oumvlp,
    "grew": grew,
    "grew_bnneck": grew_bnneck,
    "gait3d_parsing": gaitset.gait3d_parsing,
    "folder": casia_b,
}
