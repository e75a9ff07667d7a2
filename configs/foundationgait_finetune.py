"""FoundationGait fine-tuned on labelled walks (Ye et al., arXiv:2512.00691).

It starts from what `configs/foundationgait_pretrain.py` has learnt, of which the teacher is taken;
only the head is new:

    python -m gaitjax.train --config configs/foundationgait_finetune.py:ccpg --workdir runs/ccpg
        --config.train.init_from="('runs/foundation',)" --config.data.root=...

Without `init_from` the frozen layers would stay as they were drawn.
"""

from ml_collections import ConfigDict

from configs import common, deepgaitv2, foundationgait_pretrain

# OpenGait's checkpoints have a predictor, which nothing uses any more.
UNUSED = ("teacher/predictor/*",)


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "foundationgait_finetune"
    deepgaitv2.residual_network(config)
    foundationgait_pretrain.backbone(config)
    config.model.crops = (8, 4, 2, 1, 8, 4, 2, 1)
    config.model.embedding = 256
    deepgaitv2.augment(config, "silhouette")
    config.data.sampler.update(identities=16, sequences=32)
    last_layers(config)
    config.optimizer.weight_decay = 0.0
    config.train.steps = 3_000
    config.schedule.milestones = (2_000,)
    common.choose(SETTINGS, dataset)(config)
    return config


def last_layers(config: ConfigDict) -> None:
    """Trains the last two layers and the projector, more slowly than what is new."""
    config.freeze = (*(f"teacher/encoder/layer{i}/*" for i in (0, 1, 2)), *UNUSED)
    config.optimizer.groups = (
        ("teacher/encoder/layer3/*", {"learning_rate": 0.001}),
        ("teacher/encoder/layer4/*", {"learning_rate": 0.005}),
        ("teacher/projector/*", {"learning_rate": 0.01}),
    )


def synthetic(config: ConfigDict) -> None:
    """One block a stage, an eighth of the channels, all of them trained: nothing was pretrained."""
    foundationgait_pretrain.synthetic(config)
    config.data.sampler.sequences = 4
    config.model.embedding = 64
    config.freeze, config.optimizer.groups = UNUSED, ()


def ccpg(config: ConfigDict) -> None:
    """All as it is by default."""


def ccpg_large(config: ConfigDict) -> None:
    """The larger network, in smaller batches, with decay."""
    config.data.dataset = "ccpg"
    config.model.blocks = foundationgait_pretrain.LARGE
    config.data.sampler.identities = 8
    config.optimizer.weight_decay = 5e-4
    config.train.steps = 5_000
    config.schedule.milestones = (2_000, 3_000)


def gait3d(config: ConfigDict) -> None:
    """Many identities at a time, in halves or whole."""
    config.model.crops = (2, 2, 2, 2, 1, 1, 1, 1)
    config.data.sampler.update(identities=128, sequences=4)
    config.train.steps = 4_000
    config.schedule.milestones = (3_000,)


def ccgr_mini(config: ConfigDict) -> None:
    """More identities at a time, twice the steps."""
    config.data.sampler.update(identities=32, sequences=16)
    config.train.steps = 6_000
    config.schedule.milestones = (3_000, 5_000)


SETTINGS = {
    "synthetic": synthetic,
    "ccpg": ccpg,
    "ccpg_large": ccpg_large,
    "gait3d": gait3d,
    "ccgr_mini": ccgr_mini,
}
