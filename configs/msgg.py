"""MSGG (Peng et al., 2023) on the datasets of SETTINGS, or on own poses."""

from ml_collections import ConfigDict

from configs import common


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "msgg"
    config.model.channels = (16, 32, 64, 128)
    config.model.embedding = 128
    picked = config.data.sampler
    for scale, weight in (("joints", 0.3), ("limbs", 0.2), ("bodyparts", 0.1)):
        config.losses[f"triplet_{scale}"] = ConfigDict(
            {
                "type": "triplet",
                "weight": weight,
                "margin": 0.2,
                "per_identity": picked.get_ref("sequences"),
            }
        )
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "scale": 1.0, "label_smoothing": 0.0, "log_accuracy": True}
    )
    config.data.modalities = ("pose",)
    # Of OU-MVLP's 18 joints too: so OpenGait's config takes them, though they lie in another order.
    config.data.transforms = ConfigDict({"pose": ({"type": "choose_joints"},)})
    picked.update(identities=32, sequences=8)
    config.data.frames.update(order="ordered", number=30)
    config.train.steps = 300_000
    config.schedule.milestones = (75_000, 150_000, 225_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """Half of the channels, all frames of the shortest sequence."""
    common.synthetic(config)
    config.data.frames.number = 20
    config.model.channels = (8, 16, 32, 64)


def oumvlp(config: ConfigDict) -> None:
    """All as it is by default."""


SETTINGS = {"synthetic": synthetic, "oumvlp": oumvlp, "sustech1k": oumvlp, "folder": oumvlp}
