"""GaitBase (Fan et al., CVPR 2023) on the datasets of SETTINGS, or on data of one's own."""

from typing import Any

from ml_collections import ConfigDict

from configs import common


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitbase"
    config.model.modality = "silhouette"
    kin(config)
    config.train.steps = 60_000
    config.schedule.milestones = (20_000, 40_000, 50_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def resnet9() -> ConfigDict:
    """The backbone of GaitBase and of many others."""
    return ConfigDict(
        {
            "type": "resnet",
            "channels": (64, 128, 256, 512),
            "blocks": (1, 1, 1, 1),
            "strides": (1, 2, 2, 1),
        }
    )


def kin(config: ConfigDict) -> None:
    """The network and the losses that GaitBase has in common with its kin."""
    config.model.backbone = resnet9()
    config.model.embedding = 256
    config.model.bins = (16,)
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.2, "per_identity": picked.get_ref("sequences")}
    )
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "weight": 1.0, "scale": 16.0, "log_accuracy": True}
    )


def synthetic(config: ConfigDict) -> None:
    """A quarter of the channels."""
    common.synthetic(config)
    config.model.backbone.channels = (16, 32, 64, 128)
    config.model.embedding = 64


def casia_b(config: ConfigDict) -> None:
    """Rotated and erased."""
    _augment(config, "silhouette_cut", ("rotate", 0.3), ("erase", 0.3))


def oumvlp(config: ConfigDict) -> None:
    """Larger batches, twice as many steps."""
    config.data.sampler.update(identities=32, sequences=8)
    config.train.steps = 120_000
    config.schedule.milestones = (60_000, 80_000, 100_000)


def gait3d(config: ConfigDict) -> None:
    """10 to 50 frames a sequence, augmented."""
    config.data.sampler.update(identities=32, sequences=4)
    config.data.frames.update(sampling="unfixed", minimum=10, maximum=50)
    _augment(config, ("perspective", 0.2), "silhouette_cut", ("flip", 0.2), ("rotate", 0.2))


def gait3d_parsing(config: ConfigDict) -> None:
    """Body parts, as they are, in small batches for twice as many steps."""
    config.model.modality = "parsing"
    config.data.modalities = ("parsing",)
    config.data.transforms = ConfigDict({"parsing": ({"type": "parsing_cut"},)})
    config.data.sampler.update(identities=32, sequences=2)
    config.train.steps = 120_000
    config.schedule.milestones = (40_000, 80_000, 100_000)


def grew(config: ConfigDict) -> None:
    """As Gait3D, with 20 to 40 frames and three times as many steps."""
    gait3d(config)
    config.data.frames.update(minimum=20, maximum=40)
    config.train.steps = 180_000
    config.schedule.milestones = (80_000, 120_000, 150_000)


def casia_e(config: ConfigDict) -> None:
    """Many sequences of each identity."""
    config.data.sampler.update(identities=8, sequences=32)


def ccpg(config: ConfigDict) -> None:
    """All as it is by default."""


def hid(config: ConfigDict) -> None:
    """A plain backbone on silhouettes of 128 x 88."""
    config.model.backbone = ConfigDict(
        {
            "type": "plain",
            "layers": (
                *("BC-64", "BC-64", "M"),
                *("BC-128", "BC-128", "M"),
                *("BC-256", "BC-256", "M"),
                *("BC-512", "BC-512"),
            ),
        }
    )
    config.model.bins = (16, 8, 4, 2, 1)
    config.losses.softmax.weight = 0.1
    config.data.sampler.update(identities=16, sequences=8)
    config.schedule.milestones = (20_000, 40_000)


def _augment(config: ConfigDict, *transforms: str | tuple[str, float]) -> None:
    """A transform is its type, or its type and the probability that it acts."""
    listed: list[dict[str, Any]] = [
        {"type": t} if isinstance(t, str) else {"type": t[0], "probability": t[1]}
        for t in transforms
    ]
    config.data.transforms.silhouette = tuple(listed)


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "oumvlp": oumvlp,
    "gait3d": gait3d,
    "gait3d_parsing": gait3d_parsing,
    "grew": grew,
    "casia_e": casia_e,
    "ccpg": ccpg,
    "hid": hid,
    "folder": casia_b,
}
