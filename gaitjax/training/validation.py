"""Scores of a network on the test split, by all processes together."""

import functools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import flax.linen as nn
import jax
from ml_collections import ConfigDict

from gaitjax.data import augment
from gaitjax.datasets import Dataset, Protocol
from gaitjax.evaluation import embed, open_set, predictions, protocols
from gaitjax.evaluation.embed import Embedded
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.evaluation.protocols import Result
from gaitjax.models import energy_image
from gaitjax.training import experiment as experiments
from gaitjax.training import mesh as meshes
from gaitjax.training.experiment import Data


def unscored(config: ConfigDict, data: Data, model: nn.Module) -> str:
    """Why the test split is not scored; empty if it is.

    Args:
        config: of which `data` and `evaluation` count.
        data: of which the test split is looked at.
        model: a network.

    Raises:
        UserError: if there is no protocol where one is needed, or it does not fit to the data.
    """
    test, title = data.splits.test, data.dataset.title
    if not len(test):
        return "nobody is in the test split"
    told = told_of(config, data, model)
    if is_judged(config, data.dataset, told):
        return ""
    if told.embeddings is None:
        return (
            f"{config.network} has no embeddings that could be ranked, and predicts nothing known"
        )
    if data.dataset.labels and not data.dataset.protocols and not _stated(config):
        return f"nobody is searched for in {title}, and {config.network} does not classify"
    found = protocol(config, data.dataset, data.splits.lists)
    names = test.identities.tolist(), test.types.tolist(), test.views.tolist()
    protocols.select(found, *names)
    protocols.viewpoints(found, *names)
    return ""


def told_of(config: ConfigDict, data: Data, model: nn.Module) -> Embedded:
    """Shapes of what a network says of a sequence of the test split."""
    inputs, lengths = experiments.example_inputs(config, data.splits.test)
    variables = experiments.shapes(config, data, model)
    shapes: Embedded = jax.eval_shape(
        functools.partial(embed.told, model), variables, inputs, lengths
    )
    return shapes


def is_judged(config: ConfigDict, dataset: Dataset, told: Embedded | Embeddings) -> bool:
    """Whether a network is scored by what it predicts; if not, a protocol ranks its embeddings.

    Args:
        config: whose protocol comes first, where one is stated.
        dataset: of which `labels` count.
        told: what the network says of sequences, or its shapes.
    """
    known = predictions.known(dataset.labels, told.predictions)
    return bool(known) and (told.embeddings is None or not _stated(config))


def _stated(config: ConfigDict) -> bool:
    fields = config.evaluation.protocol
    return bool(fields.name or fields.gallery or fields.probes)


def protocol(config: ConfigDict, dataset: Dataset, lists: Mapping[str, Sequence[str]]) -> Protocol:
    """The protocol of a config.

    Args:
        config: of which `evaluation` counts.
        dataset: whose protocols are chosen among.
        lists: what the partition JSON lists, see `protocols.from_config`.

    Raises:
        UserError: if there is none.
    """
    return protocols.from_config(config.evaluation.protocol, dataset.protocols, lists)


def embedder(config: ConfigDict, model: nn.Module) -> embed.Forward:
    """The jitted function from raw frames to embeddings; made once a run, so it compiles once.

    Args:
        config: of which `data.transforms` counts.
        model: a network.
    """
    transforms = config.data.transforms.to_dict()
    prepare = functools.partial(augment.apply, transforms=transforms, key=None)
    return embed.forward(model, prepare, meshes.local_devices())


def embed_rows(
    config: ConfigDict, data: Data, forward: embed.Forward, variables: Any, rows: Sequence[int]
) -> Iterator[tuple[list[int], Embedded]]:
    """Embeds sequences of the test split, by this process alone: see `embed.embed`.

    Args:
        config: of which `data` and `evaluation` count.
        data: of which the test split is read.
        forward: what `embedder` returned.
        variables: the network's parameters and statistics, on all devices.
        rows: of the test split.
    """
    yield from embed.embed(
        forward,
        variables,
        data.splits.test,
        rows,
        modalities=config.data.modalities,
        transforms=config.data.transforms.to_dict(),
        frame_limit=config.data.frames.limit,
        bucket=config.evaluation.frame_bucket,
        batch=config.evaluation.batch,
        mesh=meshes.local_devices(),
    )


def embed_test(
    config: ConfigDict,
    data: Data,
    forward: embed.Forward,
    variables: Any,
    facts: dict[str, Any],
) -> Embeddings:
    """Embeds the test split; every process has all of it.

    Args:
        config: of which `data` and `evaluation` count.
        data: of which the test split is read.
        forward: what `embedder` returned.
        variables: the network's parameters and statistics, on all devices.
        facts: where the embeddings come from.
    """
    test = data.splits.test
    rows = meshes.share_of(len(test)).tolist()
    share = embed.collect(embed_rows(config, data, forward, variables, rows), len(rows))
    whole = jax.tree.map(functools.partial(meshes.gather_shares, rows=len(test)), share)
    names = (test.identities, test.types, test.views)
    return Embeddings(whole.embeddings, whole.predictions, *names, facts)


def score(
    config: ConfigDict,
    dataset: Dataset,
    lists: Mapping[str, Sequence[str]],
    embeddings: Embeddings,
) -> Result:
    """Scores what a network says of the test split, by its predictions or by the protocol.

    Args:
        config: of which `evaluation` counts.
        dataset: whose labels and protocols count.
        lists: what the partition JSON lists, see `protocols.from_config`.
        embeddings: of the test split.

    Raises:
        UserError: for a protocol that does not fit to the data.
    """
    identities, types = embeddings.identities.tolist(), embeddings.types.tolist()
    if is_judged(config, dataset, embeddings):
        return predictions.evaluate(dataset.labels, embeddings.predictions, identities, types)
    return protocols.evaluate(
        protocol(config, dataset, lists),
        embeddings.embeddings,
        identities,
        types,
        embeddings.views.tolist(),
        config.evaluation.metric,
        open_set.from_config(config.evaluation.open_set),
    )


def evaluate(config: ConfigDict, data: Data, forward: embed.Forward, variables: Any) -> Result:
    """Embeds the test split and scores it.

    Args:
        config: of which `data` and `evaluation` count.
        data: of which the test split is read.
        forward: what `embedder` returned.
        variables: the network's parameters and statistics, on all devices.

    Raises:
        UserError: for a protocol that does not fit to the data.
    """
    embeddings = embed_test(config, data, forward, variables, {})
    return score(config, data.dataset, data.splits.lists, embeddings)


def baselines(
    config: ConfigDict, data: Data, forward: embed.Forward, untrained: Any
) -> dict[str, Result]:
    """The scores that a trained network has to be seen beside, on the same frames and protocol.

    Args:
        config: of which `data` and `evaluation` count.
        data: of which the test split is read.
        forward: what `embedder` returned for the network.
        untrained: its variables before the first step.

    Returns:
        'untrained network', and 'energy image' where silhouettes are ranked -> scores.
    """
    results = {"untrained network": evaluate(config, data, forward, untrained)}
    ranked = results["untrained network"].gallery
    if ranked and "silhouette" in config.data.modalities:
        image = embedder(config, energy_image.Model(classes={}))
        results["energy image"] = evaluate(config, data, image, {})
    return results


def comparison(results: dict[str, Result]) -> list[str]:
    """The main score of each condition, a row a method."""
    first = next(iter(results.values()))
    conditions, heading = [*first.probes, "mean"], f"{first.main} [%]"
    width = max(map(len, [heading, *results]))
    lines = [" ".join([heading.ljust(width), *(f"{c:>8}" for c in conditions)])]
    for name, result in results.items():
        scores = (f"{result.scores[f'{c}/{result.main}']:8.2f}" for c in conditions)
        lines.append(" ".join([name.ljust(width), *scores]))
    return lines
