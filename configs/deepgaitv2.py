"""DeepGaitV2 (Fan et al., 2023) on the datasets of SETTINGS, or on data of one's own."""

from typing import Any

from ml_collections import ConfigDict

from configs import common

CUT = {"type": "silhouette_cut"}


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "deepgaitv2"
    config.model.modality = "silhouette"
    config.model.mode = "p3d"
    config.model.inference_head = "fc"
    residual_network(config)
    augment(config, "silhouette")
    common.choose(SETTINGS, dataset)(config)
    return config


def residual_network(config: ConfigDict) -> None:
    """What all networks of these residual stages have in common."""
    config.model.channels = (64, 128, 256, 512)
    config.model.blocks = (1, 1, 1, 1)
    config.model.remat = False  # True: less memory, a third more time
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.2, "per_identity": picked.get_ref("sequences")}
    )
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "scale": 16.0, "log_accuracy": True}
    )
    config.data.frames.update(order="ordered", number=30, skip=4)
    config.train.steps = 60_000
    config.schedule.milestones = (20_000, 40_000, 50_000)


def augment(config: ConfigDict, *modalities: str) -> None:
    """Reads modalities that are cut and augmented alike, so that they stay aligned."""
    config.data.modalities = modalities
    config.data.transforms = ConfigDict(
        {
            modality: (_random("perspective"), CUT, _random("flip"), _random("rotate"))
            for modality in modalities
        }
    )


def _random(name: str) -> dict[str, Any]:
    return {"type": name, "probability": 0.2}


def synthetic(config: ConfigDict) -> None:
    """A quarter of the channels."""
    common.synthetic(config)
    config.model.channels = (16, 32, 64, 128)


def casia_b(config: ConfigDict) -> None:
    """All as it is by default."""


def oumvlp(config: ConfigDict) -> None:
    """Larger batches, twice as many steps."""
    config.data.sampler.update(identities=32, sequences=8)
    config.train.steps = 120_000
    config.schedule.milestones = (60_000, 80_000, 100_000)


def gait3d(config: ConfigDict) -> None:
    """A deeper network, on more identities at a time."""
    config.model.blocks = (1, 4, 4, 1)
    config.data.sampler.update(identities=32, sequences=4)


def grew(config: ConfigDict) -> None:
    """As Gait3D, with three times as many steps."""
    gait3d(config)
    config.train.steps = 180_000
    config.schedule.milestones = (80_000, 120_000, 150_000)


def sustech1k(config: ConfigDict) -> None:
    """Smaller batches of short sequences, fewer steps."""
    config.data.sampler.update(identities=8, sequences=8)
    config.data.frames.number = 10
    config.train.steps = 50_000
    config.schedule.milestones = (20_000, 30_000, 40_000)


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "oumvlp": oumvlp,
    "gait3d": gait3d,
    "grew": grew,
    "ccpg": casia_b,
    "sustech1k": sustech1k,
    "folder": casia_b,
}
