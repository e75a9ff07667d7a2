"""A config brought to life: its data, network, loss and optimizer, all checked."""

import dataclasses
import functools
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh
from ml_collections import ConfigDict

from gaitjax import datasets, lookup, models
from gaitjax.data import augment, frames, mixture, pipeline, samplers, sequences
from gaitjax.data import transforms as host
from gaitjax.data.batch import Array, Batch
from gaitjax.data.store import is_store
from gaitjax.datasets import Dataset
from gaitjax.errors import UserError
from gaitjax.evaluation import metrics, open_set
from gaitjax.training import mesh as meshes
from gaitjax.training import optim, state, step
from gaitjax.training.state import State


@dataclasses.dataclass(frozen=True)
class Data:
    """The data of a config.

    Attributes:
        dataset: what is known of it.
        splits: training and test sequences.
        classes: label -> number of classes in the training split.
        fingerprint: changes when names, splits or files change.
        sets: where several are trained on, how many sequences each has, and its share of the steps.
    """

    dataset: Dataset
    splits: sequences.Splits
    classes: dict[str, int]
    fingerprint: str
    sets: Sequence[tuple[int, float]] = ()


def open_data(config: ConfigDict, cache: Path) -> Data:
    """Finds the data, and generates those that are built in.

    Args:
        config: of which `data` counts.
        cache: where built-in data are kept when config.data.root is empty.

    Raises:
        UserError: for data that are missing or of another layout.
    """
    dataset = datasets.get(config.data.dataset)
    packed = bool(config.data.root) and is_store(Path(config.data.root))
    if dataset.generate is not None and not packed:
        module = lookup.module("gaitjax.datasets", config.data.dataset)
        options = config.data.options.to_dict()
        root = Path(config.data.root or cache / module.cache_name(options))
        dataset.generate(root, options)
    elif config.data.root:
        root = Path(config.data.root)
    else:
        raise UserError(
            f"config.data.root is empty; set it to the folder of {dataset.title}, which holds "
            "identity/type/view/*.pkl"
        )
    partition = Path(config.data.partition) if config.data.partition else None
    splits = sequences.open_splits(dataset, root, partition)
    sets: Sequence[tuple[int, float]] = ()
    if config.data.sets:
        train, sets, lines = mixture.open_sets(config.data.sets)
        splits = dataclasses.replace(splits, train=train, lines=[*splits.lines, *lines])
    _, names = splits.train.labels()
    fingerprint = sequences.fingerprint(splits, config.data.modalities)
    for split in (splits.train, splits.test):
        split.all_labels()  # refuses a type without a class before anything is written
    further = {label: len(set(x.values())) for label, x in splits.train.classes.items()}
    return Data(dataset, splits, {"identity": len(names), **further}, fingerprint, sets)


@dataclasses.dataclass(frozen=True)
class Training:
    """What a run of training consists of.

    Attributes:
        model: the network.
        rate: step -> learning rate, but for groups that have their own.
        sampler: step -> rows.
        init: () -> the state before the first step.
        step: state, batch -> state, scalars; jitted, and the state given to it is gone.
        abstract: shapes, types and shardings of the state.
        batches: first step -> this process's batches from there on.
        mesh: all devices.
    """

    model: nn.Module
    rate: optax.Schedule
    sampler: samplers.Sampler
    init: Callable[[], State]
    step: Callable[[State, Batch], tuple[State, step.Scalars]]
    abstract: State
    batches: Callable[[int], Generator[Batch, None, None]]
    mesh: Mesh


def build_model(config: ConfigDict, classes: Mapping[str, int]) -> nn.Module:
    """The network of a config."""
    return models.build(config.network, config.model.to_dict(), classes, config.dtype)


def build_training(config: ConfigDict, data: Data, mesh: Mesh) -> Training:
    """Builds and checks everything that training needs; writes nothing.

    Raises:
        UserError: for whatever in the config cannot work.
    """
    _check(config)
    labels, _ = data.splits.train.labels()
    sampler = samplers.build(config.data.sampler, labels, config.seed, data.sets)
    meshes.check_batch(sampler.batch, mesh)
    model = build_model(config, data.classes)
    rate = optim.schedule(config.schedule, config.optimizer.learning_rate)
    tx = optim.optimizer(config.optimizer.to_dict(), config.schedule)
    transforms = config.data.transforms.to_dict()

    example = example_inputs(config, data.splits.train)
    init = jax.jit(
        functools.partial(state.create, model, tx, config.freeze, config.seed, *example),
        out_shardings=meshes.replicated(mesh),
    )
    losses = config.losses.to_dict()
    function = step.make(
        model, tx, losses, transforms, config.seed, config.freeze, meshes.is_one_cpu(mesh)
    )
    everywhere, rows = meshes.replicated(mesh), meshes.split(mesh)
    jitted = jax.jit(
        function,
        donate_argnums=0,
        in_shardings=(everywhere, rows),
        out_shardings=everywhere,
        compiler_options={"xla_gpu_deterministic_ops": True} if config.deterministic else None,
    )
    batches = functools.partial(
        pipeline.training_batches,
        data.splits.train,
        sampler,
        config.data.frames,
        config.data.modalities,
        transforms,
        config.seed,
        share=(jax.process_index(), jax.process_count()),
        threads=config.data.threads,
        prefetch=config.data.prefetch,
    )
    abstract = jax.eval_shape(init)
    _check_step(function, abstract, config, data, sampler.batch)
    return Training(model, rate, sampler, init, jitted, abstract, batches, mesh)


def example_inputs(config: ConfigDict, of: sequences.Sequences) -> tuple[dict[str, Array], Array]:
    """One frame as the network reads it, all zeros, and its length: for shapes."""
    wire = {
        name: jnp.zeros((1, 1, *x.shape[1:]), x.dtype) for name, x in _on_wire(config, of).items()
    }
    lengths = jnp.ones(1, jnp.int32)
    return dict(augment.apply(wire, lengths, config.data.transforms.to_dict(), None)), lengths


def _on_wire(config: ConfigDict, of: sequences.Sequences) -> dict[str, np.ndarray]:
    """The frames of the first sequence as they go to the device."""
    found = of.frames(0, config.data.modalities)
    return host.in_evaluation(found, config.data.transforms.to_dict(), config.data.frames.limit)


def shapes(config: ConfigDict, data: Data, model: nn.Module) -> dict[str, Any]:
    """Shapes and types of a network's variables."""
    inputs, lengths = example_inputs(config, data.splits.test)
    result: dict[str, Any] = jax.eval_shape(
        lambda: model.init(jax.random.key(0), inputs, lengths, train=False)
    )
    return {"batch_stats": {}, **result}


def config_of(meta: Mapping[str, Any]) -> ConfigDict:
    """The config that a checkpoint was trained with."""
    return ConfigDict(_with_tuples(meta["config"]))


def _with_tuples(tree: Any) -> Any:
    """JSON knows no tuples, configs have no lists."""
    if isinstance(tree, Mapping):
        return {name: _with_tuples(value) for name, value in tree.items()}
    return tuple(map(_with_tuples, tree)) if isinstance(tree, list) else tree


def _check_step(
    function: Callable[[State, Batch], Any],
    abstract: State,
    config: ConfigDict,
    data: Data,
    rows: int,
) -> None:
    """Traces one step: what does not fit together is said before anything is written."""
    found = _on_wire(config, data.splits.train)
    time = frames.padded_length(config.data.frames)
    time = host.longest(config.data.transforms.to_dict(), config.data.modalities, time)

    def batch() -> Batch:
        inputs: dict[str, Array] = {
            name: jnp.zeros((rows, time, *x.shape[1:]), x.dtype) for name, x in found.items()
        }
        integers = jnp.ones(rows, jnp.int32)
        return Batch(inputs, integers, dict.fromkeys(data.classes, integers))

    jax.eval_shape(function, abstract, jax.eval_shape(batch))


def _check(config: ConfigDict) -> None:
    """Refuses numbers that make no sense."""
    positive = {
        "train": ("steps", "log_every", "checkpoint_every", "keep"),
        "data": ("threads", "prefetch"),
        "evaluation": ("batch", "frame_bucket"),
    }
    for group, names in positive.items():
        for name in names:
            value = config[group][name]
            if value < 1:
                raise UserError(f"config.{group}.{name} is {value}; expected 1 or more")
    if config.seed < 0:
        raise UserError(f"config.seed is {config.seed}; expected 0 or more")
    metric = config.evaluation.metric
    if metric not in metrics.METRICS:
        raise UserError(
            f"config.evaluation.metric is {metric!r}; expected one of {', '.join(metrics.METRICS)}"
        )
    open_set.from_config(config.evaluation.open_set)
    augment.check(config.data.transforms.to_dict())


def describe(config: ConfigDict, data: Data) -> dict[str, Any]:
    """What a checkpoint says of itself: config, classes and data, JSON-able."""
    return {
        "config": json.loads(config.to_json_best_effort()),
        "classes": data.classes,
        "data": data.fingerprint,
    }
