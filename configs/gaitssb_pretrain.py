"""GaitSSB's pretraining on GaitLU-1M (Fan et al., TPAMI 2023), and its scores on other datasets.

Pretraining knows no identities; what it learnt is scored without any more training:

    python -m gaitjax.train --config configs/gaitssb_pretrain.py:gaitlu_1m --workdir runs/ssb
        --config.data.root=...
    python -m gaitjax.evaluate --config configs/gaitssb_pretrain.py:casia_b --checkpoint runs/ssb
        --config.data.root=...

`configs/gaitssb_finetune.py` trains on from there.
"""

from ml_collections import ConfigDict

from configs import common, gaitbase


def get_config(dataset: str = "synthetic") -> ConfigDict:
    """The settings of OpenGait for a dataset; 'synthetic' is a narrow network for a CPU."""
    config = common.base(dataset)
    config.network = "gaitssb_pretrain"
    config.model.backbone = gaitbase.resnet9()
    config.model.bins = (16, 8, 4, 2, 1)
    for term in ("softmax1", "softmax2"):  # either view is searched for among the other ones
        config.losses[term] = ConfigDict(
            {"type": "cross_entropy", "weight": 1.0, "scale": 16.0, "log_accuracy": True}
        )
    two_views(config)
    config.optimizer.learning_rate = 0.05
    config.train.steps = 150_000
    config.schedule.milestones = (80_000, 120_000)
    common.choose(SETTINGS, dataset)(config)
    return config


def two_views(config: ConfigDict) -> None:
    """512 sequences, 1024 rows; both views of a sequence are drawn in one way."""
    config.data.sampler.update(type="pairs", identities=8, sequences=64)
    config.data.frames.update(order="ordered", number=16, skip=4)
    band = {"top": (9, 20), "bottom": (39, 50)}
    config.data.transforms.silhouette = (
        {"type": "affine", "probability": 0.2},
        {"type": "perspective", "probability": 0.2},
        {"type": "silhouette_cut"},  # GaitLU-1M's silhouettes are 44 wide and lose nothing
        {"type": "flip", "probability": 0.5},
        {"type": "dilate", "probability": 0.2, **band},
        {"type": "blur", "probability": 0.2, **band},
    )


def synthetic(config: ConfigDict) -> None:
    """A quarter of the channels; 16 sequences, 32 rows."""
    common.synthetic(config)
    config.data.sampler.sequences = 2
    config.model.backbone.channels = (16, 32, 64, 128)


def as_is(config: ConfigDict) -> None:
    """All as in pretraining."""


def gait3d(config: ConfigDict) -> None:
    """Scored by cosines."""
    config.evaluation.metric = "cosine"


SETTINGS = {
    "synthetic": synthetic,
    "gaitlu_1m": as_is,
    "casia_b": as_is,
    "gait3d": gait3d,
    "grew": as_is,
    "oumvlp": as_is,
    "folder": as_is,
}
