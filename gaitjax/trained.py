"""A trained network, from a run or from a file of OpenGait's, that embeds sequences."""

import dataclasses
import functools
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
from ml_collections import ConfigDict

from gaitjax.data.modalities import checked
from gaitjax.errors import UserError
from gaitjax.evaluation import embed
from gaitjax.evaluation.embed import Forward
from gaitjax.interop import files, opengait
from gaitjax.training import checkpoint, validation
from gaitjax.training import experiment as experiments
from gaitjax.training import mesh as meshes


@dataclasses.dataclass(frozen=True, eq=False)
class Trained:
    """A network and its weights.

    Attributes:
        config: of which `network`, `model`, `dtype`, `data` and `evaluation` count.
        classes: label -> number of classes of its head.
        step: how many steps it was trained for; 0 if unknown.
        model: the network.
        variables: its parameters and statistics, on all devices of this process.
    """

    config: ConfigDict
    classes: Mapping[str, int]
    step: int
    model: nn.Module
    variables: dict[str, Any]

    def embed(self, sequences: Sequence[np.ndarray | Mapping[str, np.ndarray]]) -> np.ndarray:
        """Embeds sequences on all devices, whatever their lengths and their order.

        Args:
            sequences: N, at least one, of [T, ...] each, as they are stored: silhouettes are uint8
                [T, 64, 64] in 0..255, which the config's transforms cut and scale. A network of
                several modalities takes modality -> [T, ...]. Frames past
                config.data.frames.limit are dropped, as in evaluation.

        Returns:
            float32 [N, P, C]: P parts of C channels.

        Raises:
            UserError: for arrays of another type or shape; names the first.
        """
        if not len(sequences):
            raise UserError("there are no sequences to embed; expected one or more")
        data, evaluation = self.config.data, self.config.evaluation
        given = _Given(
            [_by_modality(f"sequences[{i}]", x, data.modalities) for i, x in enumerate(sequences)]
        )
        batches = embed.embed(
            self._forward,
            self.variables,
            given,
            range(len(sequences)),
            modalities=data.modalities,
            transforms=data.transforms.to_dict(),
            frame_limit=data.frames.limit,
            bucket=evaluation.frame_bucket,
            batch=min(evaluation.batch, len(sequences)),
            mesh=meshes.local_devices(),
        )
        embeddings: np.ndarray = embed.collect(batches, len(sequences)).embeddings
        return embeddings

    def without_head(self) -> "Trained":
        """The same with a head of no classes: what tells the training identities apart is gone."""
        classes = dict.fromkeys(self.classes, 0)
        model = experiments.build_model(self.config, classes)
        variables = jax.tree.map(
            lambda x, wanted: x if wanted.size else np.zeros(wanted.shape, wanted.dtype),
            self.variables,
            opengait.shapes(self.config.network, model),
        )
        return dataclasses.replace(self, classes=classes, model=model, variables=variables)

    @functools.cached_property
    def _forward(self) -> Forward:
        return validation.embedder(self.config, self.model)


def load(path: str | Path, config: str | ConfigDict | None = None) -> Trained:
    """Reads a trained network.

    Args:
        path: a run's folder, whose latest checkpoint is taken, one of its checkpoints, or a .pt or
            .safetensors of OpenGait's.
        config: of the network, as `configs/gaitset.py:casia_b` or as made by its `get_config`; a
            file needs one, a run has its own.

    Raises:
        UserError: if there is no such file, if it is another network's, or for a wrong config.
    """
    path = Path(path)
    config = _read_config(config) if isinstance(config, str) else config
    if path.suffix not in files.SUFFIXES:
        return _from_run(path, config)
    if config is None:
        raise UserError(f"{path} has no config; give that of its network, configs/NAME.py:DATASET")
    return _from_file(path, config)


def _from_run(path: Path, config: ConfigDict | None) -> Trained:
    found = checkpoint.Found(path)
    config = config or experiments.config_of(found.meta)
    model = experiments.build_model(config, found.meta["classes"])
    sharding = meshes.replicated(meshes.local_devices())
    like = checkpoint.abstract(opengait.shapes(config.network, model), sharding)
    return Trained(config, found.meta["classes"], found.step, model, found.variables(like))


def _from_file(path: Path, config: ConfigDict) -> Trained:
    state_dict, step = files.read(path)

    def build(count: int) -> nn.Module:
        return experiments.build_model(config, opengait.classes_of(config.network, count))

    count = opengait.count_classes(config.network, build, state_dict) or 0
    try:
        variables = opengait.read(config.network, build(count), state_dict)
    except UserError as error:
        raise UserError(f"{path}: {error}") from error
    classes = opengait.classes_of(config.network, count)
    placed = jax.device_put(variables, meshes.replicated(meshes.local_devices()))
    return Trained(config, classes, step, build(count), placed)


def _read_config(text: str) -> ConfigDict:
    """The config of FILE.py or FILE.py:ARGUMENT, as --config of the commands takes it."""
    name, _, argument = text.partition(":")
    path = Path(name).resolve()
    if not path.is_file():
        raise UserError(f"{name} does not exist; expected a config, configs/NAME.py:DATASET")
    if str(path.parent.parent) not in sys.path:  # configs import their neighbours
        sys.path.append(str(path.parent.parent))
    config = runpy.run_path(str(path))["get_config"](*filter(None, [argument]))
    assert isinstance(config, ConfigDict)
    return config


class _Given:
    """Sequences in memory, as `embed` reads them; named after their position."""

    def __init__(self, arrays: list[dict[str, np.ndarray]]) -> None:
        self._arrays = arrays
        self.identities = ["given"] * len(arrays)
        self.types = ["sequence"] * len(arrays)
        self.views = [str(i) for i in range(len(arrays))]

    def frames(self, row: int, modalities: Sequence[str]) -> dict[str, np.ndarray]:
        """Modality -> [T, ...]."""
        return {modality: self._arrays[row][modality] for modality in modalities}


def _by_modality(
    name: str, given: np.ndarray | Mapping[str, np.ndarray], modalities: Sequence[str]
) -> dict[str, np.ndarray]:
    """One sequence, checked.

    Raises:
        UserError: if it is not what `Trained.embed` takes.
    """
    if not isinstance(given, Mapping):
        if len(modalities) > 1:
            raise UserError(f"{name} is one array; expected a dict of {', '.join(modalities)}")
        given = {modalities[0]: given}
    missing = sorted(set(modalities) - set(given))
    if missing:
        raise UserError(f"{name} has no {', '.join(missing)}, which this network reads")
    arrays = {m: checked(name, m, np.asarray(given[m])) for m in modalities}
    lengths = {m: len(x) for m, x in arrays.items()}
    if len(set(lengths.values())) > 1:
        raise UserError(f"{name} has frames {lengths}; its modalities must have the same number")
    return arrays
