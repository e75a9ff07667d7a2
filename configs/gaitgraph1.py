"""GaitGraph (Teepe et al., ICIP 2021) on the datasets of SETTINGS, or on own poses.

It learns from two views of every sequence, whose frames and changes are drawn apart. OpenGait draws
the same 100 frames or so for both, and then a window of these for each.
"""

from typing import Any

from ml_collections import ConfigDict

from configs import common, gaitgraph2


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitgraph1"
    config.model.skeleton = "coco"
    config.model.branch = (64, 64, 32)
    config.model.channels = (128, 128, 256, 256)
    config.model.reduction = 8
    config.model.embedding = 128
    config.losses.SupConLoss = ConfigDict(
        {
            "type": "supervised_contrastive",
            "temperature": 0.01,
            "base_temperature": 0.07,
            "similarity": "dot",
            "active_only": False,
        }
    )
    config.data.modalities = ("pose",)
    swap = {"type": "swap_sides", "probability": 0.1, "skeleton": "coco", "per_frame": True}
    config.data.transforms = ConfigDict({"pose": (swap, *_window(60, noise=0.2))})
    config.data.sampler.update(type="pairs", identities=128, sequences=1)
    config.data.frames.update(order="ordered", number=100)
    common.adam(config, 1e-2, 1e-5)
    config.train.steps = 6_000
    common.one_cycle(config)
    common.choose(SETTINGS, dataset)(config)
    return config


def _window(frames: int, noise: float) -> tuple[dict[str, Any], ...]:
    """Some consecutive frames of a sequence, in either direction, their joints moved at random."""
    return (
        {"type": "reverse", "probability": 0.5},
        {"type": "random_window", "number": frames},
        {"type": "point_noise", "std": 0.05, "confidence": True},
        {"type": "joint_noise", "std": noise},
    )


def synthetic(config: ConfigDict) -> None:
    """Half of the channels; windows of most frames of the shortest sequence."""
    common.synthetic(config)
    config.model.branch = (32, 16)
    config.model.channels = (64, 128)
    config.data.frames.number = 20
    config.data.transforms.pose = _window(16, noise=0.1)
    config.optimizer.learning_rate = 5e-3


def casia_b(config: ConfigDict) -> None:
    """All as it is by default."""


def _short(config: ConfigDict, chosen: int, evaluated: int) -> None:
    """Windows of 16 frames, mirrored at random; those in the middle are evaluated.

    Args:
        config: to be changed.
        chosen: frames of which a window is drawn.
        evaluated: frames in the middle.
    """
    config.data.frames.number = chosen
    config.data.transforms.pose = (
        {"type": "mirror", "probability": 0.5},
        *_window(16, noise=0.1),
        {"type": "centre_window", "number": evaluated},  # no less than those of training
    )


def gait3d(config: ConfigDict) -> None:
    """More steps on short windows."""
    _short(config, chosen=130, evaluated=24)
    config.train.steps = 20_000


def grew(config: ConfigDict) -> None:
    """Many more steps on short windows, a larger embedding."""
    _short(config, chosen=501, evaluated=16)
    config.model.embedding = 256
    config.train.steps = 150_000


def oumvlp(config: ConfigDict) -> None:
    """Many more steps on short windows of poses of 18 joints, a larger embedding."""
    grew(config)
    _short(config, chosen=35, evaluated=17)
    config.model.skeleton = "openpose"


def oumvlp17(config: ConfigDict) -> None:
    """The same poses without the neck, as COCO has them."""
    grew(config)
    _short(config, chosen=25, evaluated=17)
    config.data.dataset = "oumvlp"
    poses = config.data.transforms.pose
    config.data.transforms.pose = (gaitgraph2.WITHOUT_NECK, *poses)


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "oumvlp": oumvlp,
    "oumvlp17": oumvlp17,
    "gait3d": gait3d,
    "grew": grew,
    "folder": casia_b,
}
