"""BiggerGait (Ye et al., NeurIPS 2025): gait from colour images, by way of all depths of DINOv2.

DINOv2 keeps the weights that Hugging Face publishes as `facebook/dinov2-small`, and the branch that
finds the person keeps those that BigGait learnt, but for its BatchNorm's statistics:

    python -m gaitjax.train --config configs/biggergait.py:ccpg --workdir runs/biggergait
        --config.train.init_from="('model.safetensors', 'MaskBranch_vits14.pt')"
        --config.data.root=...

A run of `configs/biggait.py` has both: `--config.train.init_from="('runs/biggait',)"`. Without
either they stay as they were drawn, and what is found is no person.

`ccpg` is 12 GaitBases, one for each block of DINOv2; `ccpg_grouped` two, each of which sees the
maps of three pairs of blocks.
"""

from ml_collections import ConfigDict

from configs import biggait, common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "biggergait"
    config.model.vision = biggait.vision()
    config.model.vision.offset = 0.0  # Hugging Face's
    config.model.image = 224
    config.model.width = 32
    config.model.group = 1
    config.model.features = 16
    config.model.networks = 12
    config.model.fixed_mask = False
    gaitbase.kin(config)
    config.model.backbone.strides = (1, 2, 1, 1)
    config.model.bins = (32,)
    config.freeze = ("vision/*", "mask/*")
    config.data.modalities = ("rgb", "ratio")  # images that keep their shape do without the ratio
    config.data.transforms = ConfigDict({"rgb": ({"type": "flip"}, {"type": "rgb"})})
    config.data.sampler.update(identities=8, sequences=4)
    config.train.steps = 30_000
    config.schedule.milestones = (15_000, 25_000)
    config.evaluation.batch = 1  # rounded up to the devices: the maps of a long sequence are large
    common.choose(SETTINGS, dataset)(config)
    return config


def synthetic(config: ConfigDict) -> None:
    """A narrow DINOv2 as it is drawn, on small images, and a quarter of the channels."""
    common.synthetic(config)
    config.model.vision.update(width=48, blocks=4, heads=3)
    config.model.update(image=112, width=16, networks=2, bins=(16,), embedding=64)
    config.model.backbone.channels = (16, 32, 64, 128)
    config.data.frames.number = 6
    config.evaluation.batch = 4


def ccpg(config: ConfigDict) -> None:
    """Images that keep their shape: `ccpg_rgb`."""
    config.data.dataset = "ccpg_rgb"
    config.data.frames.limit = 250


def ccpg_grouped(config: ConfigDict) -> None:
    """Two networks for all blocks, which are taken two by two."""
    ccpg(config)
    config.model.update(group=2, networks=2)


def folder(config: ConfigDict) -> None:
    """All as it is by default."""


SETTINGS = {
    "synthetic": synthetic,
    "ccpg": ccpg,
    "ccpg_grouped": ccpg_grouped,
    "folder": folder,
}
