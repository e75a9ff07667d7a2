"""Diagnoses from what FoundationGait has learnt (Ye et al., arXiv:2512.00691).

Linear probing trains one layer on the teacher of `configs/foundationgait_pretrain.py:gait3d_large`;
fine-tuning goes on from there:

    python -m gaitjax.train --config configs/foundationgait_probe.py:scoliosis1k
        --workdir runs/probe --config.train.init_from="('runs/foundation',)" --config.data.root=...
    python -m gaitjax.train --config configs/foundationgait_probe.py:scoliosis1k_finetune
        --workdir runs/tuned --config.train.init_from="('runs/probe',)" --config.data.root=...

With --config.data.dataset=dgait it tells depression instead, for which OpenGait has no settings.
"""

from ml_collections import ConfigDict

from configs import common, foundationgait_finetune, foundationgait_pretrain


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "foundationgait_probe"
    probing(config)
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "scale": 16.0, "log_accuracy": True, "labels": "diagnosis"}
    )
    common.choose(SETTINGS, dataset)(config)
    return config


def probing(config: ConfigDict) -> None:
    """All that was pretrained stays as it is, but for BatchNorm's statistics, as in OpenGait."""
    foundationgait_pretrain.backbone(config)
    config.model.blocks = foundationgait_pretrain.LARGE
    config.model.crops = (1,)
    config.freeze = ("teacher/*",)
    config.data.sampler.update(identities=8, sequences=8)
    config.data.frames.update(order="ordered", number=30, skip=30)
    config.train.steps = 3_000
    config.schedule.milestones = (1_000, 2_000)


def synthetic(config: ConfigDict) -> None:
    """One block a stage, an eighth of the channels, all of them trained: nothing was pretrained."""
    foundationgait_pretrain.synthetic(config)
    config.data.sampler.sequences = 4
    config.freeze = foundationgait_finetune.UNUSED


def scoliosis1k(config: ConfigDict) -> None:
    """All as it is by default."""


def scoliosis1k_finetune(config: ConfigDict) -> None:
    """Crops, and the last layers trained too."""
    config.data.dataset = "scoliosis1k"
    config.model.crops = (8, 4, 2, 1)
    config.data.frames.skip = 4
    foundationgait_finetune.last_layers(config)
    config.schedule.milestones = (2_000,)


SETTINGS = {
    "synthetic": synthetic,
    "scoliosis1k": scoliosis1k,
    "scoliosis1k_finetune": scoliosis1k_finetune,
}
