"""GaitSSB fine-tuned on labelled walks (Fan et al., TPAMI 2023).

It starts from what `configs/gaitssb_pretrain.py` has learnt, of which the encoder and the projector
are taken; only the head is new:

    python -m gaitjax.train --config configs/gaitssb_finetune.py:gait3d --workdir runs/gait3d
        --config.train.init_from="('runs/ssb',)" --config.data.root=...

Without `init_from` the frozen layers would stay as they were drawn.
"""

from ml_collections import ConfigDict

from configs import common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitssb_finetune"
    config.model.backbone = gaitbase.resnet9()
    config.model.bins = (16, 8, 4, 2, 1)
    config.model.fixed_batch_norm = True
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.3, "per_identity": picked.get_ref("sequences")}
    )
    config.freeze = ("backbone/conv1/*", "backbone/bn1/*", "backbone/layer1_*")
    config.optimizer.groups = (
        ("backbone/*", {"learning_rate": 0.001}),
        ("projector/*", {"learning_rate": 0.01}),
    )
    config.train.steps = 12_000
    config.schedule.milestones = (6_000, 8_000, 10_000)
    # OpenGait's rule: at every 1000th step a rate below 1e-4 is raised to it.
    config.schedule.update(floor=1e-4, floor_every=1_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """A quarter of the channels, all of them trained: nothing has to be pretrained."""
    common.synthetic(config)
    config.model.backbone.channels = (16, 32, 64, 128)
    config.model.fixed_batch_norm = False
    config.freeze = config.optimizer.groups = ()


def casia_b(config: ConfigDict) -> None:
    """All as it is by default."""


def gait3d(config: ConfigDict) -> None:
    """Larger batches, no decay, nothing is cut off: OpenGait has Gait3D 44 wide here."""
    config.data.sampler.update(identities=64, sequences=4)
    config.data.transforms.silhouette = ({"type": "silhouette"},)
    config.optimizer.weight_decay = 0.0


def grew(config: ConfigDict) -> None:
    """Larger batches, no decay, 80k steps."""
    config.data.sampler.update(identities=128, sequences=4)
    config.optimizer.weight_decay = 0.0
    _long(config)


def oumvlp(config: ConfigDict) -> None:
    """All stages are trained, 80k steps."""
    config.data.sampler.update(identities=32, sequences=16)
    config.freeze = ("backbone/conv1/*", "backbone/bn1/*")
    config.optimizer.weight_decay = 0.005
    _long(config)


def _long(config: ConfigDict) -> None:
    config.train.steps = 80_000
    config.schedule.milestones = (50_000, 60_000, 70_000)


SETTINGS = {
    "synthetic": synthetic,
    "casia_b": casia_b,
    "gait3d": gait3d,
    "grew": grew,
    "oumvlp": oumvlp,
    "folder": casia_b,
}
