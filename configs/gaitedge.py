"""GaitEdge (Liang et al., ECCV 2022): its second phase, and its plain end-to-end form.

The first phase are configs/segmentation.py and configs/gaitgl.py:casia_b_star; both of their
checkpoints are what the second one starts from, one loaded after the other:
`--config.train.init_from="('SEGMENTATION', 'GAITGL')"`.
"""

from ml_collections import ConfigDict

from configs import common


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitedge"
    config.model.channels = (32, 64, 128)
    config.model.segmenter = (16, 32, 64, 128)
    config.model.edge = True
    config.model.kernel = 3
    config.model.size = (64, 44)
    config.model.remat = False  # True: less memory, a third more time
    config.freeze = ("segmenter/encoder*",)
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.2, "per_identity": picked.get_ref("sequences")}
    )
    config.losses.bce = ConfigDict({"type": "binary_cross_entropy", "weight": 10.0})
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "scale": 1.0, "label_smoothing": 0.0, "log_accuracy": True}
    )
    config.data.modalities = ("ratio", "rgb", "mask")
    config.data.transforms = ConfigDict(
        {"rgb": ({"type": "rgb"},), "mask": ({"type": "silhouette"},)}
    )
    config.data.sampler.update(identities=8, sequences=8)
    config.data.frames.update(order="ordered", limit=512)
    config.train.steps = 20_000
    config.schedule.milestones = (10_000,)
    common.adam(config, 1e-4, 5e-4)
    config.optimizer.groups = (("segmenter*", {"learning_rate": 1e-5}),)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """A quarter of the channels; the U-Net learns as fast as the rest, having no first phase."""
    common.synthetic(config)
    config.model.channels = (8, 16, 32)
    config.model.segmenter = (4, 8, 16, 32)
    config.data.frames.number = 6
    config.optimizer.groups = ()


def casia_b_star(config: ConfigDict) -> None:
    """The U-Net predicts edges; their insides are given."""


def casia_b_star_e2e(config: ConfigDict) -> None:
    """The U-Net predicts all of the silhouettes."""
    config.data.dataset = "casia_b_star"
    config.model.edge = False


SETTINGS = {
    "synthetic": synthetic,
    "casia_b_star": casia_b_star,
    "casia_b_star_e2e": casia_b_star_e2e,
    "folder": casia_b_star,
}
