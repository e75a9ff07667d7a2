"""GaitGraph2 (Teepe et al., CVPR Workshops 2022) on the datasets of SETTINGS, or on own poses.

Evaluation embeds all frames of a sequence; OpenGait's draws as many of them as in training.
"""

from typing import Any

from ml_collections import ConfigDict

from configs import common
from gaitjax import skeletons


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a short run for a CPU."""
    config = common.base(dataset)
    config.network = "gaitgraph2"
    config.model.skeleton = "coco"
    config.model.branch = (64, 32)
    config.model.channels = (128, 256)
    config.model.reduction = 8
    config.model.embedding = 128
    config.losses.SupConLoss = ConfigDict(
        {
            "type": "supervised_contrastive",
            "temperature": 0.01,
            "base_temperature": 0.01,
            "similarity": "distance",
            "active_only": True,
        }
    )
    config.data.modalities = ("pose",)
    config.data.transforms = ConfigDict({"pose": (FILL, *augmented("coco"))})
    config.data.sampler.update(type="common", identities=768, sequences=1)
    config.data.frames.update(order="ordered", number=60)
    config.optimizer = ConfigDict(
        {"type": "adamw", "learning_rate": 5e-3, "weight_decay": 1e-5, "groups": ()}
    )
    config.train.steps = 500
    common.one_cycle(config)
    config.evaluation.metric = "cosine"
    common.choose(SETTINGS, dataset)(config)
    return config


# OUMVLP's 17 joints of 18, in COCO's order.
WITHOUT_NECK = {"type": "choose_joints", "joints": skeletons.WITHOUT_NECK}
# As OpenGait's: the middle of all joints, those not found at 0 among them.
FILL = {"type": "fill_missing", "count_missing": True}


def augmented(
    skeleton: str, noise: float = 0.25, reach: tuple[float, float] = (4.0, 1.0)
) -> tuple[dict[str, Any], ...]:
    """The streams of poses that are changed at random as OpenGait changes them.

    Args:
        skeleton: of the poses.
        noise: standard deviation of what moves a joint in all frames, pixels.
        reach: how far all joints move along x and y, pixels.
    """
    return (
        {"type": "reverse", "probability": 0.5},
        {"type": "swap_sides", "probability": 0.1, "skeleton": skeleton, "per_frame": True},
        {"type": "joint_noise", "std": noise},
        {"type": "point_noise", "std": 0.05, "confidence": True},
        {"type": "move", "reach": reach},
        # The confidence is where the authors' code has it, not their paper.
        {"type": "pose_streams", "skeleton": skeleton, "confidence_channel": 3},
    )


def synthetic(config: ConfigDict) -> None:
    """Several sequences of each walker in a batch, all frames of the shortest."""
    common.synthetic(config)
    config.data.sampler.type = "triplet"
    config.data.frames.number = 20
    config.optimizer.learning_rate = 5e-3


def casia_b(config: ConfigDict) -> None:
    """All as it is by default."""


def gait3d(config: ConfigDict) -> None:
    """More steps; all joints are there."""
    config.data.transforms.pose = augmented("coco")
    config.train.steps = 2_000


def ccpg(config: ConfigDict) -> None:
    """Poses of 18 joints, in wider bottlenecks, changed less."""
    _train(config, steps=2_000)
    config.model.skeleton = "openpose"
    config.data.transforms.pose = (FILL, *augmented("openpose", 0.1, (3.0, 1.0)))


def grew(config: ConfigDict) -> None:
    """A deeper network, with more steps."""
    _train(config, steps=50_000)
    _deepen(config)


def oumvlp(config: ConfigDict) -> None:
    """A deeper network, with more steps of fewer frames, on poses of 18 joints."""
    ccpg(config)
    _train(config, steps=80_000)
    _deepen(config)
    config.data.frames.number = 30


def oumvlp17(config: ConfigDict) -> None:
    """The same poses without the neck, as COCO has them."""
    oumvlp(config)
    config.data.dataset = "oumvlp"
    config.model.skeleton = "coco"
    poses = (FILL, *augmented("coco", 0.1, (3.0, 1.0)))
    config.data.transforms.pose = (WITHOUT_NECK, *poses)


def _train(config: ConfigDict, steps: int) -> None:
    """In wider bottlenecks, by Adam, with a schedule that goes down as it came up."""
    config.model.reduction = 4
    common.adam(config, 5e-3, 1e-5)
    config.train.steps = steps
    config.schedule.symmetric = True


def _deepen(config: ConfigDict) -> None:
    config.model.branch = (64, 64, 32)
    config.model.channels = (128, 128, 128, 256, 256, 256)


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "oumvlp": oumvlp,
    "oumvlp17": oumvlp17,
    "gait3d": gait3d,
    "grew": grew,
    "ccpg": ccpg,
    "sustech1k": gait3d,
    "folder": casia_b,
}
