"""BigGait (Ye et al., CVPR 2024): gait from colour images, by way of DINOv2.

DINOv2 keeps the weights that Meta publishes, `dinov2_vits14_pretrain.pth`:

    python -m gaitjax.train --config configs/biggait.py:ccpg --workdir runs/biggait
        --config.train.init_from="('dinov2_vits14_pretrain.pth',)" --config.data.root=...

Without `init_from` it stays as it was drawn. The branch that finds the person learns in the same
run. OpenGait takes that of an earlier run from its step 500 on; here it can be taken, and kept,
from the start: `--config.train.init_from="('dinov2_vits14_pretrain.pth', 'MaskBranch_vits14.pt')"`
`--config.model.fixed_mask=True --config.freeze="('vision/*', 'mask/*')"`.
"""

from ml_collections import ConfigDict

from configs import common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "biggait"
    config.model.vision = vision()
    config.model.image = 224
    config.model.width = 32
    config.model.features = 16
    config.model.fixed_mask = False
    config.model.backbone = gaitbase.resnet9()
    config.model.embedding = 256
    config.model.bins = (16,)
    config.model.dropout = 0.5
    config.model.blank = 0.2
    config.freeze = ("vision/*",)
    picked = config.data.sampler
    config.losses.triplet = ConfigDict(
        {"type": "triplet", "margin": 0.2, "per_identity": picked.get_ref("sequences")}
    )
    config.losses.softmax = ConfigDict(
        {"type": "cross_entropy", "scale": 16.0, "log_accuracy": True}
    )
    weights = {"shape_connect": 0.02, "shape_mse": 1.0, "part_connect": 0.01, "part_diversity": 5.0}
    for term, weight in weights.items():
        config.losses[term] = ConfigDict({"type": "mean", "weight": weight})
    config.data.modalities = ("rgb", "ratio")
    config.data.transforms = ConfigDict({"rgb": ({"type": "flip"}, {"type": "rgb"})})
    config.data.sampler.update(identities=8, sequences=8)
    config.train.steps = 40_000
    config.schedule.milestones = (15_000, 25_000, 30_000, 35_000)
    config.evaluation.batch = 1  # rounded up to the devices: the maps of a long sequence are large
    common.choose(SETTINGS, dataset)(config)
    return config


def vision() -> ConfigDict:
    """The small DINOv2 without registers, as Meta's code has it."""
    size = {"width": 384, "blocks": 12, "heads": 6, "gated": False}
    return ConfigDict({**size, "registers": 0, "offset": 0.1})


def synthetic(config: ConfigDict) -> None:
    """A narrow DINOv2 as it is drawn, on small images, and a quarter of the channels."""
    common.synthetic(config)
    config.model.vision.update(width=48, blocks=4, heads=3)
    config.model.update(image=112, width=16, bins=(8,), embedding=64)
    config.model.backbone.channels = (16, 32, 64, 128)
    config.data.frames.number = 6
    config.evaluation.batch = 4


def ccpg(config: ConfigDict) -> None:
    """Images that keep their shape: `ccpg_rgb`."""
    config.data.dataset = "ccpg_rgb"
    config.data.frames.limit = 250


def sustech1k(config: ConfigDict) -> None:
    """All as it is by default."""


def ccgr_mini(config: ConfigDict) -> None:
    """All as it is by default."""


SETTINGS = {
    "synthetic": synthetic,
    "ccpg": ccpg,
    "sustech1k": sustech1k,
    "ccgr_mini": ccgr_mini,
    "folder": sustech1k,
}
