"""Supervised contrastive loss (Khosla et al., NeurIPS 2020)."""

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.errors import UserError
from gaitjax.losses.triplet import pairwise_distances
from gaitjax.models.layers.separate import l2_normalise


def contrast(similarity: jax.Array, positive: jax.Array, own: jax.Array) -> jax.Array:
    """-log(softmax of similarities), averaged over the positives of every anchor.

    The anchor itself is no part of the softmax. OpenGait takes it out only after the largest
    similarity, which is often that to itself, so that its logarithm may be of 0.

    Args:
        similarity: [A, B] of anchors to others, divided by the temperature.
        positive: bool [A, B], which others are of the anchor's class.
        own: bool [A, B], which of the others is the anchor itself.

    Returns:
        [A]; 0 for an anchor without positives.
    """
    positive = positive & ~own
    log_all = jax.nn.logsumexp(similarity, 1, keepdims=True, where=~own)
    each = jnp.sum(jnp.where(positive, log_all - similarity, 0), 1)
    return each / jnp.maximum(jnp.sum(positive, 1), 1)


def loss(
    embeddings: jax.Array,
    labels: jax.Array,
    temperature: float = 0.01,
    base_temperature: float = 0.07,
    similarity: str = "dot",
    active_only: bool = False,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """`contrast` of all sequences with each other, times temperature / base_temperature.

    Args:
        embeddings: [N, C]; several views of a sequence are rows of the same label.
        labels: int [N].
        temperature: what similarities are divided by.
        base_temperature: see above.
        similarity: 'dot', the product of embeddings as they are, or 'distance', the negative
            Euclidean distance of embeddings of unit length.
        active_only: whether the mean is over anchors of a loss above 0, instead of all. A loss
            that is less than float32's rounding of the similarities counts as 0.

    Returns:
        The mean over anchors, 0 if there are none; and the scalar 'loss', the same.

    Raises:
        UserError: for another similarity.
    """
    if similarity not in ("dot", "distance"):
        raise UserError(
            "config.losses has a supervised_contrastive loss whose similarity is "
            f"{similarity!r}; expected 'dot' or 'distance'"
        )
    x = embeddings.astype(jnp.promote_types(embeddings.dtype, jnp.float32))
    if similarity == "dot":
        compared = jnp.matmul(x, x.T, precision="highest")
    else:
        compared = -pairwise_distances(l2_normalise(x, -1)[:, None])[0]
    own = jnp.eye(len(x), dtype=bool)
    nearest = jax.lax.stop_gradient(jnp.max(compared, 1, where=~own, initial=jnp.min(compared)))
    # Less the nearest, so that a small loss is not made of the rounding of large similarities.
    each = contrast((compared - nearest[:, None]) / temperature, labels[:, None] == labels, own)
    rounding = np.finfo(np.float32).eps / 2 * jnp.abs(nearest) / temperature
    counted = each > rounding if active_only else jnp.ones_like(each, bool)
    each *= temperature / base_temperature
    value = jnp.sum(jnp.where(counted, each, 0)) / jnp.maximum(jnp.sum(counted), 1)
    return value, {"loss": value}
