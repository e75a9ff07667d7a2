"""Scores of a network on the test split, by all processes together."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import flax.linen as nn
import jax
from ml_collections import ConfigDict

from gaitjax.data import augment
from gaitjax.datasets import Protocol
from gaitjax.evaluation import embed, protocols
from gaitjax.evaluation.embed import Embedded
from gaitjax.evaluation.embeddings import Embeddings
from gaitjax.evaluation.protocols import Result
from gaitjax.models import energy_image
from gaitjax.training import experiment as experiments
from gaitjax.training import mesh as meshes
from gaitjax.training.experiment import Data


def protocol(config: ConfigDict, data: Data) -> Protocol:
    """The protocol of a config, which fits to its data.

    Raises:
        UserError: if there is none, or its gallery or probes would be empty.
    """
    own, test = data.dataset.protocols, data.splits.test
    found = protocols.from_config(config.evaluation.protocol, own, data.splits.lists)
    names = test.identities.tolist(), test.types.tolist(), test.views.tolist()
    protocols.select(found, *names)
    protocols.viewpoints(found, *names)
    return found


def unscored(config: ConfigDict, data: Data, model: nn.Module) -> str:
    """Why the test split is not scored by a protocol; empty if it is.

    Args:
        config: of which `data` and `evaluation` count.
        data: of which the test split is looked at.
        model: a network.
    """
    if not len(data.splits.test):
        return "nobody is in the test split"
    inputs, lengths = experiments.example_inputs(config, data.splits.test)
    output, _ = jax.eval_shape(
        lambda: model.init_with_output(jax.random.key(0), inputs, lengths, train=False)
    )
    if output.embeddings is None:
        return f"{config.network} has no embeddings that could be ranked"
    fields = config.evaluation.protocol
    stated = fields.name or fields.gallery or fields.probes
    if data.dataset.labels and not data.dataset.protocols and not stated:
        return f"nobody is searched for in {data.dataset.title}"
    return ""


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


def score(protocol: Protocol, embeddings: Embeddings, metric: str) -> Result:
    """Scores embeddings by a protocol, as `protocols.evaluate` does."""
    return protocols.evaluate(
        protocol,
        embeddings.embeddings,
        embeddings.identities.tolist(),
        embeddings.types.tolist(),
        embeddings.views.tolist(),
        metric,
    )


def evaluate(config: ConfigDict, data: Data, forward: embed.Forward, variables: Any) -> Result:
    """Embeds the test split and scores it by the config's protocol.

    Args:
        config: of which `data` and `evaluation` count.
        data: of which the test split is read.
        forward: what `embedder` returned.
        variables: the network's parameters and statistics, on all devices.

    Raises:
        UserError: for a protocol that does not fit to the data.
    """
    embeddings = embed_test(config, data, forward, variables, {})
    return score(protocol(config, data), embeddings, config.evaluation.metric)


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
        'untrained network', and 'energy image' where silhouettes are read -> scores.
    """
    results = {"untrained network": evaluate(config, data, forward, untrained)}
    if "silhouette" in config.data.modalities:
        image = embedder(config, energy_image.Model(classes={}))
        results["energy image"] = evaluate(config, data, image, {})
    return results


def comparison(results: dict[str, Result]) -> list[str]:
    """Rank-1 of each condition, a row a method."""
    conditions = [*next(iter(results.values())).probes, "mean"]
    width = max(map(len, results))
    lines = [" ".join(["rank-1 [%]".ljust(width), *(f"{c:>8}" for c in conditions)])]
    for name, result in results.items():
        scores = (f"{result.scores[f'{c}/rank-1']:8.2f}" for c in conditions)
        lines.append(" ".join([name.ljust(width), *scores]))
    return lines
