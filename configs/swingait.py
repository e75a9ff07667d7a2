"""SwinGait (Fan et al., 2023) on the datasets of SETTINGS, or on data of one's own.

OpenGait starts it from a DeepGaitV2 of the same dataset, whose first three layers are the same:
`config.train.init_from`.
"""

from ml_collections import ConfigDict

from configs import common, deepgaitv2

# The transformer's other weights have the optimizer's own settings.
GROUPS = (
    ("layer*", {"learning_rate": 3e-5}),
    ("head/*", {"learning_rate": 3e-5}),
    ("necks/*", {"learning_rate": 3e-5}),
    # OpenGait finds what does not decay by its name, which this one does not have.
    ("transformer/widen1_norm/*", {"weight_decay": 0.02}),
    ("transformer/*norm*", {"weight_decay": 0.0}),
    ("transformer/patches/*", {"weight_decay": 0.0}),
    ("transformer/*/relative_position_bias", {"weight_decay": 0.0}),
)


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "swingait"
    deepgaitv2.residual_network(config)
    deepgaitv2.augment(config, "silhouette")
    config.model.channels = (64, 128, 256, 512)
    config.model.blocks = (1, 1, 2, 2)
    config.model.heads = (16, 32)
    config.model.embedding = 256
    config.model.bins = (15,)
    config.model.drop_path = 0.1
    config.optimizer = ConfigDict(
        {"type": "adamw", "learning_rate": 3e-4, "weight_decay": 0.02, "groups": GROUPS}
    )
    _train(config, steps=80_000, cosine=60_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def _train(config: ConfigDict, steps: int, cosine: int) -> None:
    """The learning rate falls along half a cosine, and stays where that ends."""
    config.train.steps = steps
    config.schedule = ConfigDict(
        {"type": "stepped_cosine", "every": 1_000, "total": cosine, "minimum": 1e-6}
    )


def synthetic(config: ConfigDict) -> None:
    """An eighth of the channels, at a constant learning rate, and frames for two windows."""
    common.synthetic(config)
    config.data.frames.number = 6
    config.model.channels = (8, 16, 32, 64)
    config.model.heads = (2, 4)
    config.model.embedding = 64
    config.schedule = ConfigDict({"type": "constant"})


def ccpg(config: ConfigDict) -> None:
    """All as it is by default."""


def sustech1k(config: ConfigDict) -> None:
    """Smaller batches, fewer steps."""
    config.data.sampler.update(identities=8, sequences=8)
    _train(config, steps=60_000, cosine=50_000)


def gait3d(config: ConfigDict) -> None:
    """A deeper network, on more identities at a time; silhouettes keep their width."""
    config.model.blocks = (1, 4, 4, 2)
    config.data.sampler.update(identities=32, sequences=4)
    first, _, *last = config.data.transforms.silhouette
    config.data.transforms.silhouette = (first, {"type": "silhouette"}, *last)


def grew(config: ConfigDict) -> None:
    """A deeper network, on more identities at a time, with more steps."""
    config.model.blocks = (1, 4, 4, 2)
    config.data.sampler.update(identities=32, sequences=4)
    _train(config, steps=200_000, cosine=150_000)


SETTINGS = {
    "synthetic": synthetic,
    "ccpg": ccpg,
    "sustech1k": sustech1k,
    "gait3d": gait3d,
    "grew": grew,
    "folder": ccpg,
}
