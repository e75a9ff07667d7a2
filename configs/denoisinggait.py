"""DenoisingGait (Jin et al., CVPR 2025) on the datasets of SETTINGS, or on data of one's own.

It reads what a diffusion model makes of the frames, and silhouettes of the same crops: of every
sequence a pickle of latents, float [T, 96, 48, 4] or [T, 4, 96, 48], beside one of silhouettes, 96
rows of 48 pixels. OpenGait made them with Stable Diffusion v1.5, in one step from t = 700 on images
of 768 x 384.
"""

from ml_collections import ConfigDict

from configs import common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "denoisinggait"
    gaitbase.kin(config)
    del config.model.backbone
    config.model.update(channels=(64, 128, 256, 512), blocks=(1, 1, 1, 1), strides=(1, 2, 2, 1))
    config.model.encoder = 64
    config.model.radius = 3
    config.model.update(smoothed=0.5, threshold=0.5)
    config.model.bins = (24,)
    config.data.modalities = ("latents", "silhouette")
    config.data.transforms = ConfigDict({"silhouette": ({"type": "silhouette"},)})  # nothing is cut
    config.data.sampler.update(identities=8, sequences=4)
    # OpenGait asks for frames in order, 'fixed_allordered', which its sampler takes for unordered.
    config.data.frames.number = 30
    config.train.steps = 40_000
    config.schedule.milestones = (15_000, 25_000, 35_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """A quarter of most channels, and frames in order; the walkers' latents are their colours."""
    common.synthetic(config)
    config.model.channels = (16, 32, 64, 128)
    config.model.encoder = 16
    config.model.embedding = 64
    # The part of the walkers' silhouettes that their latents show.
    config.data.transforms.silhouette = ({"type": "silhouette_cut", "cutting": 16},)
    config.data.frames.update(order="ordered", number=4, skip=4)
    config.train.steps = 100


def casia_b(config: ConfigDict) -> None:
    """Nothing is smoothed."""
    config.model.smoothed = 0.0


def ccpg(config: ConfigDict) -> None:
    """Shorter sequences, more steps."""
    config.data.frames.number = 16
    config.train.steps = 60_000
    config.schedule.milestones = (20_000, 40_000, 50_000)


def sustech1k(config: ConfigDict) -> None:
    """All as it is by default."""


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "ccpg": ccpg,
    "sustech1k": sustech1k,
    "folder": sustech1k,
}
