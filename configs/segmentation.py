"""The U-Net that segments people, GaitEdge's first phase (Liang et al., ECCV 2022).

As in OpenGait its encoder keeps the values that it starts from: `--config.freeze='()'` trains it.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "segmentation"
    config.model.channels = (16, 32, 64, 128)
    config.freeze = ("segmenter/encoder*",)
    config.losses.bce = ConfigDict({"type": "binary_cross_entropy"})
    config.data.modalities = ("rgb", "mask")
    config.data.transforms = ConfigDict(
        {"rgb": ({"type": "rgb"},), "mask": ({"type": "silhouette"},)}
    )
    config.data.frames.number = 15
    config.train.steps = 25_000
    config.schedule.milestones = (10_000, 15_000, 20_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """A quarter of the channels."""
    common.synthetic(config)
    config.model.channels = (4, 8, 16, 32)
    config.data.frames.number = 4


def casia_b_star(config: ConfigDict) -> None:
    """All as it is by default."""


SETTINGS = {"synthetic": synthetic, "casia_b_star": casia_b_star, "folder": casia_b_star}
