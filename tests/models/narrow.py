"""Every network, so narrow that a test can run it."""

import functools
from collections.abc import Mapping
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax import models


class Narrow(NamedTuple):
    """A network to be tested.

    Attributes:
        network: its file.
        options: the fields of its Model.
        frames: modality -> shape of one frame.
        losses: config.losses of its training; none: it is not trained.
        ordered: whether the order of the frames matters to it.
        prediction: which of its predictions [N, T, ...] counts where it has no embeddings.
    """

    network: str
    options: Mapping[str, Any]
    frames: Mapping[str, tuple[int, ...]]
    losses: Mapping[str, Any]
    ordered: bool = False
    prediction: str = ""


TRIPLET = {"triplet": {"type": "triplet", "margin": 0.2, "per_identity": 2}}
SOFTMAX = {"softmax": {"type": "cross_entropy", "scale": 16.0}}
DIAGNOSIS = {"softmax": {**SOFTMAX["softmax"], "labels": "diagnosis"}}
BOTH = {**TRIPLET, **SOFTMAX}
CONTRAST = dict.fromkeys(("softmax1", "softmax2"), SOFTMAX["softmax"])
BCE = {"bce": {"type": "binary_cross_entropy"}}
SMALL = {"silhouette": (32, 24)}
RESNET = {
    "type": "resnet",
    "channels": (4, 6, 8, 8),
    "blocks": (1, 1, 1, 1),
    "strides": (1, 2, 2, 1),
}
FOUNDATION = {"channels": (4, 6, 8, 8), "blocks": (1, 1, 0, 0), "bins": (4, 1), "crops": (2,)}
SMOOTH = {term: {"type": "mean"} for term in ("shape_connect", "shape_mse", "part_connect")}
NETWORKS = {
    "gaitgraph2": Narrow(
        "gaitgraph2",
        {"branch": (4,), "channels": (8,), "reduction": 2, "embedding": 8},
        {"pose": (17, 3, 5)},
        {"SupConLoss": {"type": "supervised_contrastive", "similarity": "distance"}},
        ordered=True,
    ),
    "gaitgraph1": Narrow(
        "gaitgraph1",
        {"skeleton": "openpose", "branch": (4,), "channels": (8,), "reduction": 2, "embedding": 8},
        {"pose": (18, 3)},
        {"SupConLoss": {"type": "supervised_contrastive"}},
        ordered=True,
    ),
    "msgg": Narrow(
        "msgg",
        {"channels": (4,), "embedding": 8},
        {"pose": (12, 3)},
        {
            **{f"triplet_{s}": TRIPLET["triplet"] for s in ("joints", "limbs", "bodyparts")},
            **SOFTMAX,
        },
        ordered=True,
    ),
    "gaittr": Narrow(
        "gaittr",
        {"channels": (12,), "heads": 1, "embedding": 8},
        {"pose": (17, 10)},
        TRIPLET,
        ordered=True,
    ),
    "gaitset": Narrow("gaitset", {"channels": (4, 6, 8), "embedding": 8}, SMALL, TRIPLET),
    "gaitbase": Narrow("gaitbase", {"backbone": RESNET, "embedding": 8}, SMALL, BOTH),
    "gaitbase_plain": Narrow(
        "gaitbase",
        {
            "backbone": {"type": "plain", "layers": ("BC-4", "M", "BC-6", "M")},
            "embedding": 8,
            "bins": (16, 8),
        },
        SMALL,
        BOTH,
    ),
    "deepgaitv2": Narrow("deepgaitv2", {"channels": (4, 6, 8, 8)}, SMALL, BOTH, ordered=True),
    "deepgaitv2_2d": Narrow("deepgaitv2", {"mode": "2d", "channels": (4, 6, 8, 8)}, SMALL, BOTH),
    "deepgaitv2_3d": Narrow(
        "deepgaitv2",
        {
            "modality": "heatmap",
            "mode": "3d",
            "channels": (4, 6, 8, 8),
            "inference_head": "bnneck",
        },
        {"heatmap": (32, 24, 2)},
        BOTH,
        ordered=True,
    ),
    "skeletongaitpp": Narrow(
        "skeletongaitpp",
        {"channels": (16, 8, 8, 8)},
        {"silhouette": (32, 24), "heatmap": (32, 24, 2)},
        BOTH,
        ordered=True,
    ),
    "multigaitpp": Narrow(
        "multigaitpp",
        {"part1": ("silhouette", "parsing"), "part2": ("flow",), "channels": (32, 8, 8, 8)},
        {"silhouette": (32, 24), "parsing": (32, 24), "flow": (32, 24, 3)},
        BOTH,
        ordered=True,
    ),
    "denoisinggait": Narrow(
        "denoisinggait",
        {
            "channels": (4, 6, 16, 8),
            "encoder": 16,
            "radius": 1,
            "threshold": 0.01,
            "embedding": 8,
            "bins": (2,),
        },
        {"latents": (8, 4, 4), "silhouette": (8, 4)},
        BOTH,
        ordered=True,
    ),
    "gaitssb_pretrain": Narrow(
        "gaitssb_pretrain", {"backbone": RESNET, "bins": (4, 1)}, SMALL, CONTRAST
    ),
    "gaitssb_finetune": Narrow(
        "gaitssb_finetune",
        {"backbone": RESNET, "bins": (4, 1), "fixed_batch_norm": False},
        SMALL,
        TRIPLET,
    ),
    "foundationgait_pretrain": Narrow(
        "foundationgait_pretrain", FOUNDATION, SMALL, SOFTMAX, ordered=True
    ),
    "foundationgait_finetune": Narrow(
        "foundationgait_finetune", {**FOUNDATION, "embedding": 8}, SMALL, BOTH, ordered=True
    ),
    "foundationgait_probe": Narrow(
        "foundationgait_probe", FOUNDATION, SMALL, DIAGNOSIS, ordered=True
    ),
    # Not trained here: it is the probe with more heads.
    "foundationgait_attributes": Narrow(
        "foundationgait_attributes", FOUNDATION, SMALL, {}, ordered=True
    ),
    "lidargait": Narrow(
        "gaitbase",
        {"modality": "depth", "backbone": RESNET, "embedding": 8},
        {"depth": (32, 24, 3)},
        BOTH,
    ),
    "lidargaitpp": Narrow(
        "lidargaitpp",
        {
            "channels": 2,
            "sampled": (12, 8, 8),
            "neighbours": 4,
            "bins": (1, 2),
            "pooled": 8,
            "embedding": 8,
        },
        {"points": (16, 4)},
        BOTH,
        ordered=True,
    ),
    "sconet": Narrow(
        "sconet",
        {"backbone": RESNET, "embedding": 8},
        SMALL,
        {**TRIPLET, **DIAGNOSIS},
    ),
    "parsinggait": Narrow(
        "parsinggait",
        {"backbone": RESNET, "graphs": ("fine", "coarse"), "embedding": 8},
        {"parsing": (32, 24)},
        BOTH,
    ),
    "smplgait": Narrow(
        "smplgait",
        {"backbone": {"type": "plain", "layers": ("BC-4", "M", "BC-6")}, "embedding": 8},
        {"silhouette": (32, 24), "smpl": (85,)},
        BOTH,
    ),
    "gaitgl": Narrow("gaitgl", {"channels": (4, 6, 8), "parts": 16}, SMALL, BOTH, ordered=True),
    "gaitgl_deep": Narrow(
        "gaitgl",
        {"channels": (4, 4, 6, 8), "parts": 16, "necks": True, "remat": True},
        SMALL,
        BOTH,
        ordered=True,
    ),
    "segmentation": Narrow(
        "segmentation",
        {"channels": (4, 6, 8)},
        {"rgb": (16, 16, 3), "mask": (16, 16)},
        BCE,
        prediction="mask",
    ),
    "gaitedge": Narrow(
        "gaitedge",
        {"channels": (4, 6, 8), "segmenter": (4, 6), "size": (16, 12)},
        {"rgb": (32, 32, 3), "mask": (32, 32), "ratio": ()},
        {**BOTH, **BCE},
        ordered=True,
    ),
    "biggait": Narrow(
        "biggait",
        {
            "vision": {"width": 12, "blocks": 4, "heads": 2, "table": 3},
            "image": 28,
            "width": 8,
            "features": 4,
            "backbone": {**RESNET, "channels": (16, 6, 8, 8)},
            "embedding": 8,
            "bins": (4,),
        },
        {"rgb": (32, 24, 3), "ratio": ()},
        {**BOTH, **SMOOTH, "part_diversity": {"type": "mean"}},
    ),
    "biggergait": Narrow(
        "biggergait",
        {
            "vision": {"width": 12, "blocks": 2, "heads": 2, "table": 3},
            "image": 42,
            "width": 8,
            "features": 4,
            "networks": 1,
            "backbone": RESNET,
            "embedding": 8,
            "bins": (4,),
        },
        {"rgb": (28, 14, 3)},
        BOTH,
    ),
    "swingait": Narrow(
        "swingait",
        {"channels": (4, 6, 8, 8), "blocks": (1, 1, 2, 1), "heads": (2, 2), "embedding": 8},
        SMALL,
        BOTH,
        ordered=True,
    ),
    "gaitpart": Narrow(
        "gaitpart",
        {
            "backbone": {"type": "plain", "layers": ("BC-4", "M", "FC-6-2", "M", "FC-8-3")},
            "embedding": 8,
            "bins": (8,),
        },
        SMALL,
        TRIPLET,
        ordered=True,
    ),
    "gln": Narrow(
        "gln",
        {"channels": (4, 6, 8), "lateral": 8, "embedding": 8, "compact": True, "reduced": 8},
        SMALL,
        BOTH,
    ),
    "energy_image": Narrow("energy_image", {}, SMALL, {}),
}
CLASSES = {"identity": 4, "diagnosis": 3}


def draw(modality: str, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Random frames as a network reads them."""
    rng = np.random.default_rng((seed, len(modality)))
    if modality == "parsing":
        return rng.integers(0, 12, shape).astype("f4")
    if modality == "ratio":
        return rng.uniform(0.3, 0.6, shape).astype("f4")
    if modality in ("rgb", "smpl", "latents"):
        return rng.standard_normal(shape).astype("f4")
    if modality == "points":  # near enough to be neighbours, and as tall as people
        return rng.random(shape, "f4") * np.array([0.3, 0.3, 0.3, 2], "f4")
    return rng.random(shape, "f4")


def sequences(name: str, rows: int, frames: int, seed: int = 0) -> dict[str, np.ndarray]:
    """Modality -> [rows, frames, ...], random, in the padding too."""
    listed = NETWORKS[name].frames.items()
    return {m: draw(m, (rows, frames, *shape), seed) for m, shape in listed}


def network(name: str, dtype: str = "float32", **rates: float) -> tuple[nn.Module, Any]:
    """A narrow network, with those of the rates that it has, and its variables.

    These are drawn once, in float32: an initialisation takes seconds to compile.
    """
    narrow = NETWORKS[name]
    model = models.build(narrow.network, narrow.options, CLASSES, dtype)
    model = model.clone(**{rate: x for rate, x in rates.items() if hasattr(model, rate)})
    wide = jnp.promote_types(dtype, jnp.float32)
    return model, jax.tree.map(lambda x: x.astype(wide), _variables(name))


@functools.cache
def _variables(name: str) -> Any:
    narrow = NETWORKS[name]
    model = models.build(narrow.network, narrow.options, CLASSES, "float32")
    with jax.enable_x64(False):
        init = jax.jit(functools.partial(model.init, train=False))
        return init(jax.random.key(0), sequences(name, 1, 1), jnp.ones(1, jnp.int32))
