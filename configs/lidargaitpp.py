"""LidarGait++ (Shen et al., CVPR 2025) on clouds of points, on the datasets of SETTINGS."""

from ml_collections import ConfigDict

from configs import common


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "lidargaitpp"
    config.model.channels = 16
    config.model.sampled = (512, 256, 128)
    config.model.neighbours = 32
    config.model.grouping = "nearest"
    config.model.pool = "hap"
    config.model.bins = (1, 2, 4, 8, 16)
    config.model.pooled = 256
    config.model.embedding = 256
    config.losses.triplet = ConfigDict(
        {
            "type": "triplet",
            "margin": 0.2,
            "per_identity": config.data.sampler.get_ref("sequences"),
        }
    )
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "weight": 0.1, "scale": 31.0, "log_accuracy": True}
    )
    config.data.modalities = ("points",)
    _read(config, points=1024, flip=0.15, scale=1.0)
    config.data.sampler.update(identities=32, sequences=4)
    config.data.frames.number = 10
    _train(config, 40_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def _read(config: ConfigDict, points: int, flip: float, scale: float) -> None:
    """So many points of every cloud, augmented with these probabilities."""
    config.data.transforms = ConfigDict(
        {
            "points": (
                {"type": "sample_points", "number": points},
                {"type": "normalise_points", "heights": True},
                {"type": "flip_points", "probability": flip},
                {"type": "scale_points", "probability": scale},
            )
        }
    )


def _train(config: ConfigDict, steps: int) -> None:
    """The learning rate falls along half a cosine until the end."""
    config.train.steps = steps
    config.schedule = ConfigDict({"type": "cosine", "total": steps, "minimum": 1e-4})


def synthetic(config: ConfigDict) -> None:
    """Half of the channels, an eighth of the points, wider slices, and a constant learning rate."""
    common.synthetic(config)
    config.model.channels = 8
    config.model.sampled = (64, 32, 16)
    config.model.neighbours = 8
    config.model.bins = (1, 2, 4, 8)
    config.model.pooled = 64
    config.model.embedding = 64
    config.losses.softmax.update(weight=1.0, scale=16.0)
    config.schedule = ConfigDict({"type": "constant"})
    config.train.update(steps=1_000, log_every=50)
    common.adam(config, 2e-3, 0.0)
    _read(config, points=128, flip=0.15, scale=0.2)


def sustech1k(config: ConfigDict) -> None:
    """All as it is by default."""


def freegait(config: ConfigDict) -> None:
    """Fewer points and more channels, twice as many steps, less augmentation."""
    config.model.channels = 32
    config.model.sampled = (256, 192, 128)
    config.model.neighbours = 16
    _read(config, points=256, flip=0.1, scale=0.2)
    _train(config, 80_000)


SETTINGS = {"synthetic": synthetic, "sustech1k": sustech1k, "freegait": freegait}
