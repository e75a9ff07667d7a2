"""What a network costs: `python -m gaitjax.describe --config configs/gaitbase.py:casia_b`.

Needs no data: --classes says how many identities the head tells apart, --height how many pixels
high and wide the stored frames are, --joints how many joints stored poses have.
"""

import dataclasses
import functools
import math
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from absl import flags
from ml_collections import ConfigDict

from gaitjax import command, cost
from gaitjax.data import augment
from gaitjax.data import transforms as host
from gaitjax.data.modalities import FRAMES
from gaitjax.interop import opengait
from gaitjax.training import experiment as experiments

CLASSES = flags.DEFINE_integer("classes", 0, "what the head tells apart", lower_bound=0)
HEIGHT = flags.DEFINE_integer("height", 64, "pixels of the stored frames", lower_bound=1)
JOINTS = flags.DEFINE_integer("joints", 17, "of the stored poses", lower_bound=1)
SIZES = {"channels": 3, "points": 1024}  # of other axes that are not of pixels
LENGTH = 30  # frames of the sequence that is embedded


@dataclasses.dataclass(frozen=True)
class Card:
    """What a network costs.

    Attributes:
        frames: modality -> shape of one frame, as the network reads it.
        parameters: all but the head's.
        head: those that tell the classes apart.
        multiply_adds: a frame, of the forward pass of a sequence of LENGTH frames.
        forward: that pass: a function, and the shapes of its arguments.
    """

    frames: dict[str, tuple[int, ...]]
    parameters: int
    head: int
    multiply_adds: float
    forward: tuple[Any, ...]


def main(config: ConfigDict) -> None:
    """Prints what the network of a config costs."""
    card = describe(config, CLASSES.value, HEIGHT.value, JOINTS.value)
    frames = (f"{name} {' x '.join(map(str, shape))}" for name, shape in card.frames.items())
    memory = cost.peak_memory(*card.forward)
    print(f"network: {config.network}, {config.dtype}, reads {', '.join(frames)}")
    print(f"parameters: {card.parameters:,}, and {card.head:,} of the head")
    print(f"multiply-adds: {card.multiply_adds / 1e9:.3f} G a frame")
    print(f"activations: {memory / 2**20:.1f} MiB at most, for {LENGTH} frames")


def describe(config: ConfigDict, classes: int, height: int, joints: int = 17) -> Card:
    """Counts what a network consists of; computes nothing.

    Args:
        config: of which `network`, `model`, `dtype` and `data` count.
        classes: how many its head tells apart.
        height: of the stored frames, pixels; their width is the same.
        joints: of stored poses.

    Raises:
        UserError: for what in the config makes no network.
    """
    inputs, lengths = _inputs(config, height, SIZES | {"joints": joints})
    full, bare = (
        experiments.build_model(config, opengait.classes_of(config.network, count))
        for count in (classes, 0)
    )
    shapes, without = (
        jax.eval_shape(
            functools.partial(model.init, train=False), jax.random.key(0), inputs, lengths
        )
        for model in (full, bare)
    )
    parameters = _size(without["params"])
    forward = (functools.partial(full.apply, train=False), shapes, inputs, lengths)
    return Card(
        {name: x.shape[2:] for name, x in inputs.items()},
        parameters,
        _size(shapes["params"]) - parameters,
        cost.multiply_adds(*forward) / LENGTH,
        forward,
    )


def _inputs(
    config: ConfigDict, height: int, sizes: Mapping[str, int]
) -> tuple[dict[str, Any], jax.ShapeDtypeStruct]:
    """Shapes and types of what the network reads: one sequence, cut as the config says."""
    stored = {}
    for modality in config.data.modalities:
        kind, axes = FRAMES[modality]
        frame = (axis if isinstance(axis, int) else sizes.get(axis, height) for axis in axes)
        stored[modality] = np.ones((LENGTH, *frame), "uint8" if kind == "uint8" else "float32")
    transforms = config.data.transforms.to_dict()
    sent = host.in_evaluation(stored, transforms, LENGTH)
    wire = {name: jax.ShapeDtypeStruct((1, *x.shape), x.dtype) for name, x in sent.items()}
    lengths = jax.ShapeDtypeStruct((1,), "int32")
    prepare = functools.partial(augment.apply, transforms=transforms, key=None)
    return jax.eval_shape(prepare, wire, lengths), lengths


def _size(tree: Any) -> int:
    return sum(math.prod(x.shape) for x in jax.tree.leaves(tree))


if __name__ == "__main__":
    command.run(main)
