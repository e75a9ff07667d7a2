"""The head that most networks end in: an embedding a part, and BNNecks that classify it."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models.layers.separate import SeparateBNNecks, SeparateFCs


def embed_and_classify(
    parts: jax.Array, features: int, classes: int, dtype: Any, train: bool
) -> tuple[jax.Array, jax.Array]:
    """SeparateFCs `head` and SeparateBNNecks `necks` of the module that calls it.

    Args:
        parts: [N, P, C].
        features: channels of every part of the embedding.
        classes: how many are told apart.
        dtype: of the activations.
        train: whether BatchNorm uses, and keeps, this batch's statistics.

    Returns:
        Embeddings [N, P, features] before the BNNecks and cosines to the classes [N, P, classes],
        in float32 or above.
    """
    embeddings, _, logits = embed_normalise_and_classify(parts, features, classes, dtype, train)
    return embeddings, logits


def embed_normalise_and_classify(
    parts: jax.Array, features: int, classes: int, dtype: Any, train: bool
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """`embed_and_classify`, with the BNNecks' embeddings between its two results.

    Those are [N, P, features] too, each part of unit length.
    """
    parts = SeparateFCs(features, dtype, name="head")(parts)
    embeddings = parts.astype(jnp.promote_types(dtype, jnp.float32))
    normalised, logits = SeparateBNNecks(classes, dtype, name="necks")(embeddings, train)
    return embeddings, normalised, logits


def choose(inference_head: str, **heads: jax.Array) -> jax.Array:
    """The embeddings of the head that a network's `inference_head` names.

    Raises:
        UserError: if it names none.
    """
    if inference_head not in heads:
        raise UserError(
            f"config.model.inference_head is {inference_head!r}; expected {' or '.join(heads)}"
        )
    return heads[inference_head]


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The fields `embedding` and `bins` that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for BNNecks that share a BatchNorm otherwise than here.
    """
    if not model_cfg["SeparateBNNecks"].get("parallel_BN1d", True):
        raise UserError(
            "model_cfg.SeparateBNNecks.parallel_BN1d is false; expected true, its default"
        )
    return {
        "embedding": model_cfg["SeparateFCs"]["out_channels"],
        "bins": tuple(model_cfg["bin_num"]),
    }


OPENGAIT = [
    ("head/kernel", "FCs.fc_bin", "as_is"),
    ("necks/kernel", "BNNecks.fc_bin", "as_is"),
    ("necks/bn", "BNNecks.bn1d", "parts_bn"),
]
