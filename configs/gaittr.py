"""GaitTR (Zhang et al., Expert Systems 2023) on the datasets of SETTINGS, or on own poses."""

from typing import Any

from ml_collections import ConfigDict

from configs import common, gaitgraph2


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaittr"
    config.model.skeleton = "coco"
    config.model.channels = (64, 64, 128, 256)
    config.model.heads = 8
    config.model.embedding = 128
    config.model.dropout = 0.1
    config.losses.triplet = ConfigDict(
        {
            "type": "triplet",
            "margin": 0.3,
            "per_identity": config.data.sampler.get_ref("sequences"),
        }
    )
    config.data.modalities = ("pose",)
    config.data.transforms = ConfigDict({"pose": augmented("coco")})
    config.data.sampler.update(identities=32, sequences=4)
    config.data.frames.update(order="ordered", number=60)
    common.adam(config, 1e-3, 2e-5)
    config.train.steps = 40_000
    common.one_cycle(config, rise=0.475, first=100.0, last=1e3, symmetric=True)
    common.choose(SETTINGS, dataset)(config)
    return config


def augmented(skeleton: str) -> tuple[dict[str, Any], ...]:
    """The channels of poses of a skeleton that are changed at random as OpenGait changes them."""
    return (
        {"type": "point_noise", "std": 0.3, "confidence": True},
        {"type": "swap_sides", "probability": 0.1, "skeleton": skeleton, "per_frame": True},
        {"type": "joint_noise", "std": 0.3},
        {"type": "pose_channels", "skeleton": skeleton},
    )


def synthetic(config: ConfigDict) -> None:
    """Half of the channels, all frames of the shortest sequence."""
    common.synthetic(config)
    config.data.frames.number = 20
    config.model.channels = (32, 32, 64, 128)


def gait3d(config: ConfigDict) -> None:
    """All as it is by default."""


def grew(config: ConfigDict) -> None:
    """Larger batches, a larger embedding, more steps."""
    config.data.sampler.sequences = 8
    config.model.embedding = 256
    config.train.steps = 150_000


def ccpg(config: ConfigDict) -> None:
    """Poses of 18 joints."""
    config.model.skeleton = "openpose"
    config.data.transforms.pose = augmented("openpose")


def oumvlp17(config: ConfigDict) -> None:
    """Larger batches, a larger embedding, more steps, on the 17 joints of COCO."""
    grew(config)
    config.data.dataset = "oumvlp"
    config.data.sampler.sequences = 16
    config.data.transforms.pose = (gaitgraph2.WITHOUT_NECK, *augmented("coco"))


def oumvlp(config: ConfigDict) -> None:
    """The same on all 18 joints."""
    oumvlp17(config)
    ccpg(config)


SETTINGS = {
    "synthetic": synthetic,
    "oumvlp": oumvlp,
    "oumvlp17": oumvlp17,
    "gait3d": gait3d,
    "grew": grew,
    "ccpg": ccpg,
    "sustech1k": gait3d,
    "folder": gait3d,
}
