"""FoundationGait's pretraining (Ye et al., arXiv:2512.00691), and its scores without more training.

Pretraining knows no identities. OpenGait's is on twelve datasets at once, `config.data.sets`, here
with two of them:

    python -m gaitjax.train --config configs/foundationgait_pretrain.py:gait3d
        --workdir runs/foundation --config.data.root=/data/Gait3D
        --config.data.partition=/data/Gait3D/partition.json
        --config.data.sets="(('gait3d', '/data/Gait3D', 0), ('gaitlu_1m', '/data/GaitLU', 0))"

The twelve are gait3d, ccpg, casia_b, casia_e, ccgr, dgait, grew, oumvlp, ragar, scoliosis1k,
sustech1k and gaitlu_1m; those without a rule need OpenGait's split as partition.json in their root.
Without `sets`, Gait3D alone is trained on. What was learnt is scored on other datasets too:

    python -m gaitjax.evaluate --config configs/foundationgait_pretrain.py:gait3d
        --checkpoint runs/foundation --config.data.dataset=oumvlp --config.data.root=...
"""

from ml_collections import ConfigDict

from configs import common, gaitssb_pretrain

SMALL, LARGE = (1, 4, 8, 4), (1, 4, 32, 16)  # blocks of the networks of 0.03 and 0.13 G parameters


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "foundationgait_pretrain"
    config.train.steps = 40_000
    backbone(config)
    config.model.crops = (8, 4, 2, 1)
    config.model.momentum = 0.99
    config.model.steps = config.train.get_ref("steps")  # in the last the teacher stays as it is
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "weight": 1.0, "scale": 16.0, "log_accuracy": True}
    )
    config.freeze = ("teacher/*",)
    gaitssb_pretrain.two_views(config)
    config.optimizer.learning_rate = 0.05
    config.schedule.milestones = (20_000, 30_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def backbone(config: ConfigDict) -> None:
    """The smaller one."""
    config.model.channels = (64, 128, 256, 512)
    config.model.blocks = SMALL
    config.model.bins = (16, 8, 4, 2, 1)
    config.model.remat = True  # as in OpenGait, for the sake of memory; False: it takes less time


def synthetic(config: ConfigDict) -> None:
    """One block a stage, an eighth of the channels; 16 sequences, 32 rows."""
    common.synthetic(config)
    config.data.sampler.sequences = 2
    config.model.update(channels=(8, 16, 32, 64), blocks=(1, 1, 1, 1), remat=False)


def as_is(config: ConfigDict) -> None:
    """The smaller network."""


def gait3d_large(config: ConfigDict) -> None:
    """The larger network, twice the steps, half a cosine."""
    config.data.dataset = "gait3d"
    config.model.blocks = LARGE
    config.train.steps = 80_000
    total = config.train.get_ref("steps")
    config.schedule = ConfigDict({"type": "cosine", "total": total, "minimum": 1e-5})


SETTINGS = {
    "synthetic": synthetic,
    "gait3d": as_is,
    "gait3d_large": gait3d_large,
}
