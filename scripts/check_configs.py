"""Whether every config can be trained: builds each, and traces one step on frames made up for it.

    python scripts/check_configs.py [--only REGEX] [--step]

prints a line a config: NAME:DATASET, its parameters, steps, batch and frames, and 'pass' or the
fault. Batches and numbers of classes are those of the training. With --step it takes a real step
instead, on a few short sequences. The exit code is 0 when all pass, 1 when any does not.
"""

import argparse
import dataclasses
import importlib
import os
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from gaitjax import datasets  # noqa: E402
from gaitjax.data import frames as frame_choice  # noqa: E402
from gaitjax.data.columns import Names  # noqa: E402
from gaitjax.data.modalities import FRAMES  # noqa: E402
from gaitjax.data.sequences import Sequences, Splits  # noqa: E402
from gaitjax.errors import UserError  # noqa: E402
from gaitjax.training import experiment as experiments  # noqa: E402

# modality -> one frame as it is on disk
SHAPES: dict[str, tuple[int, ...]] = {
    **dict.fromkeys(("silhouette", "parsing"), (64, 64)),
    **dict.fromkeys(("depth", "flow"), (64, 64, 3)),
    "heatmap": (64, 64, 2),
    "mask": (128, 128),
    "rgb": (128, 128, 3),
    "latents": (96, 48, 4),
    "pose": (17, 3),
    "points": (600, 3),
    "smpl": (85,),
    "ratio": (),
}
# those of a dataset, or of a network's version of it, that are larger or cut already
OTHER_SHAPES: dict[str, dict[str, tuple[int, ...]]] = {
    "hid": {"silhouette": (128, 128)},
    "casia_b_star": {"silhouette": (64, 44)},
    "oumvlp": {"pose": (18, 3)},
    "ccpg": {"pose": (18, 3)},
    "gaitlu_1m": {"silhouette": (64, 44)},
    "gln:casia_b": {"silhouette": (128, 128)},
    **{
        f"denoisinggait:{key}": {"silhouette": (96, 48)}
        for key in ("casia_b", "ccpg", "sustech1k", "folder")
    },
}
# training identities, where the dataset does not say
IDENTITIES = {"hid": 500, "scoliosis1k": 745, "folder": 100}
LENGTH = 12  # frames of a sequence that is made up
PARTS = 12  # classes of body parts


def names() -> list[str]:
    """NAME:DATASET of every config, in order."""
    files = sorted(path.stem for path in (ROOT / "configs").glob("*.py") if path.stem != "common")
    return [f"{file}:{key}" for file in files for key in _module(file).SETTINGS]


def config_of(name: str) -> ConfigDict:
    """The config NAME:DATASET."""
    file, _, dataset = name.partition(":")
    config = _module(file).get_config(dataset)
    assert isinstance(config, ConfigDict)
    return config


def _module(file: str) -> object:
    return importlib.import_module(f"configs.{file}")


@dataclasses.dataclass(frozen=True, eq=False)
class MadeUp:
    """Sequences of random frames, without files.

    Attributes:
        names: what they are called.
        shapes: modality -> one frame.
        modalities: what the dataset has.
    """

    names: Names
    shapes: dict[str, tuple[int, ...]]
    modalities: list[str]

    def read(self, row: int, modality: str) -> np.ndarray:
        """[LENGTH, ...], of a modality that the dataset has."""
        if modality not in self.modalities:
            raise UserError(f"the dataset has no {modality}")
        return self._random(np.random.default_rng(row), modality)

    def _random(self, rng: np.random.Generator, modality: str) -> np.ndarray:
        shape = (LENGTH, *self.shapes[modality])
        if FRAMES[modality][0] == "float":
            return rng.random(shape, np.float32) + 0.5
        return rng.integers(0, PARTS if modality == "parsing" else 256, shape, np.uint8)


def shapes_of(config: ConfigDict) -> dict[str, tuple[int, ...]]:
    """Modality -> one frame as it is on disk, of a config's dataset."""
    key = config.data.dataset
    return SHAPES | OTHER_SHAPES.get(key, {}) | OTHER_SHAPES.get(f"{config.network}:{key}", {})


def data_of(config: ConfigDict) -> experiments.Data:
    """As many identities as the training split has, with the sequences that a batch draws."""
    key = config.data.dataset
    dataset = datasets.get(key)
    made_up = dataset.expected.get("train") or IDENTITIES.get(key)
    identities = made_up or config.data.options.train_identities
    picked = config.data.sampler
    each = max(picked.sequences, -(-picked.identities * picked.sequences // identities))
    rows = identities * each
    types = [next(iter(x)).replace("*", "01") for x in dataset.labels.values()] or ["01"]
    names = Names.of([f"{i // each:05}" for i in range(rows)], [types[0]] * rows, ["000"] * rows)
    source = MadeUp(names, shapes_of(config), list(dataset.files))
    sequences = Sequences(source, np.arange(rows), dataset.labels)
    further = {label: len(set(classes.values())) for label, classes in dataset.labels.items()}
    splits = Splits(sequences, sequences, [])
    return experiments.Data(dataset, splits, {"identity": identities, **further}, "")


def check(name: str, step: bool) -> str:
    """What is known of a config: parameters, steps, batch, frames.

    Args:
        name: NAME:DATASET.
        step: takes a step, instead of tracing one.

    Raises:
        UserError: if it does not work.
    """
    import jax

    config = config_of(name)
    steps = config.train.steps
    if step:
        config.data.sampler.update(identities=2, sequences=2)
        config.data.frames.update(sampling="fixed", number=6, skip=0)
    data = data_of(config)
    mesh = jax.make_mesh((1,), ("data",), devices=jax.devices()[:1])
    training = experiments.build_training(config, data, mesh)
    if step:
        _, scalars = training.step(training.init(), next(training.batches(0)))
        if not np.isfinite(scalars["loss"]):
            raise UserError(f"the loss is {scalars['loss']}")
    size = sum(x.size for x in jax.tree.leaves(training.abstract.params))
    frames = frame_choice.padded_length(config.data.frames)
    return f"{size:>12,} {steps:>8,} {training.sampler.batch:>6} {frames:>7}"


def main(arguments: Sequence[str]) -> int:
    """Runs the command, and returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", default="", metavar="REGEX", help="searched for in the names")
    parser.add_argument("--step", action="store_true", help="take a real step on a few sequences")
    parsed = parser.parse_args(arguments)
    chosen = [name for name in names() if re.search(parsed.only, name)]
    width = max(map(len, chosen), default=0)
    print(f"{'config':{width}} {'parameters':>12} {'steps':>8} {'batch':>6} {'frames':>7}")
    failed = 0
    for name, line, fault in _outcomes(chosen, parsed.step):
        failed += bool(fault)
        print(f"{name:{width}} {line}  {fault or 'pass'}", flush=True)
    print(f"{len(chosen) - failed} pass, {failed} fail", file=sys.stderr)
    return int(failed > 0 or not chosen)


def _outcomes(chosen: Sequence[str], step: bool) -> Iterator[tuple[str, str, str]]:
    for name in chosen:
        try:
            yield name, check(name, step), ""
        except Exception as error:  # whatever it is, the other configs are checked too
            yield name, " " * 36, f"{type(error).__name__}: {error}".partition("\n")[0]


if __name__ == "__main__":
    os.environ["JAX_PLATFORMS"] = "cpu"
    sys.exit(main(sys.argv[1:]))
