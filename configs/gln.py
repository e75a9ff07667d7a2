"""GLN (Hou et al., ECCV 2020) on the datasets of SETTINGS, or on data of one's own.

Its first phase trains the lateral network; the second one starts from that, and trains its compact
block with it:

    python -m gaitjax.train --config configs/gln.py:casia_b --workdir runs/gln1
        --config.data.root=...
    python -m gaitjax.train --config configs/gln.py:casia_b_phase2 --workdir runs/gln2
        --config.train.init_from="('runs/gln1',)" --config.data.root=...

On CASIA-B it reads silhouettes of 128 x 128, which become 128 x 88.
"""

from ml_collections import ConfigDict

from configs import common, gaitset


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset.removesuffix("_phase2"))
    config.network = "gln"
    config.model.modality = "silhouette"
    config.model.channels = (32, 64, 128)
    config.model.lateral = 256
    config.model.embedding = 256
    config.model.bins = (16, 8, 4, 2, 1)
    config.model.compact = False
    config.model.reduced = 256
    config.model.dropout = 0.9
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.2, "per_identity": picked.get_ref("sequences")}
    )
    config.data.frames.order = "ordered"
    config.train.steps = 40_000
    config.schedule.milestones = (10_000, 20_000, 30_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """The first phase with half the channels, a quarter of the embedding, and few frames."""
    common.synthetic(config)
    config.model.channels = (16, 32, 64)
    config.model.lateral = 64
    config.model.embedding = 64


def casia_b(config: ConfigDict) -> None:
    """The first phase; all as it is by default."""


def casia_b_phase2(config: ConfigDict) -> None:
    """The second phase, at a tenth of the learning rate."""
    _second_phase(config)
    config.optimizer.learning_rate = 0.01


def gait3d_parsing_phase2(config: ConfigDict) -> None:
    """The second phase on body parts, at the learning rate of the first one."""
    _second_phase(config)
    gaitset.gait3d_parsing(config)


def _second_phase(config: ConfigDict) -> None:
    config.model.compact = True
    config.freeze = ("compact/*_bn/bias",)
    config.losses.softmax = ConfigDict({"type": "cross_entropy", "weight": 0.1, "scale": 16.0})


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "casia_b_phase2": casia_b_phase2,
    "gait3d_parsing": gaitset.gait3d_parsing,
    "gait3d_parsing_phase2": gait3d_parsing_phase2,
    "folder": casia_b,
}
