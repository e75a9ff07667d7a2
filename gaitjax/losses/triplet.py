"""Batch-all triplet loss on every part (Hermans et al., 2017; Chao et al., GaitSet, AAAI 2019)."""

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.errors import UserError


def pairwise_distances(x: jax.Array) -> jax.Array:
    """Euclidean distances of every part: [N, P, C] -> [P, N, N], in float32 or above.

    Distances do not change when all points move, so they are taken around the mean of the batch:
    the squares are then as small as the distances, and little is lost in their difference.

    The distance to oneself is 0 by definition: rounding would leave the root of it, 1e-3 or so, and
    a gradient as noisy. relu before the root: its gradient at 0 is 0, where that of `jnp.maximum`
    would give NaN.
    """
    x = jnp.moveaxis(x, 1, 0).astype(jnp.promote_types(x.dtype, jnp.float32))
    x = x - jax.lax.stop_gradient(jnp.mean(x, 1, keepdims=True))
    square = jnp.sum(x * x, -1)
    inner = jnp.einsum("pic,pjc->pij", x, x, precision="highest")
    square = square[:, :, None] + square[:, None] - 2 * inner
    return jnp.sqrt(jax.nn.relu(jnp.where(jnp.eye(x.shape[1], dtype=bool), 0, square)))


def loss(
    embeddings: jax.Array, labels: jax.Array, margin: float, per_identity: int
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """relu(d(anchor, positive) - d(anchor, negative) + margin), averaged over those above 0.

    As in OpenGait, the anchor is among its own positives, at distance 0.

    Args:
        embeddings: [N, P, C].
        labels: int [N]; each must occur exactly `per_identity` times, in any order, which keeps all
            shapes static. Where it does not, the loss is NaN under jit.
        margin: in the unit of the distances.
        per_identity: sequences of each identity in the batch.

    Returns:
        The mean over parts of each part's loss, 0 for a part without an active triplet; and of
        every part [P]: 'loss', 'hard_loss' (the largest), 'loss_num' (active triplets) and
        'mean_dist' (mean of all distances).

    Raises:
        UserError: outside jit, if a label occurs another number of times.
    """
    counts = jnp.sum(labels[:, None] == labels, 1)
    if not isinstance(counts, jax.core.Tracer):
        _check_counts(np.asarray(counts), per_identity)
    distances = pairwise_distances(embeddings)
    order = jnp.argsort(labels[:, None] != labels, axis=1, stable=True)  # positives first
    ordered = jnp.take_along_axis(distances, order[None], axis=2)
    positive, negative = ordered[:, :, :per_identity], ordered[:, :, per_identity:]
    each = jax.nn.relu(positive[..., :, None] - negative[..., None, :] + margin)
    each = jnp.where(jnp.all(counts == per_identity), each, jnp.nan)
    active = jnp.sum(each != 0, (1, 2, 3), dtype=each.dtype)
    parts = jnp.sum(each, (1, 2, 3)) / jnp.maximum(active, 1)
    scalars = {
        "loss": parts,
        "hard_loss": jnp.max(each, (1, 2, 3), initial=0),
        "loss_num": active,
        "mean_dist": jnp.mean(distances, (1, 2)),
    }
    return jnp.mean(parts), scalars


def _check_counts(counts: np.ndarray, per_identity: int) -> None:
    wrong = counts[counts != per_identity]
    if wrong.size:
        raise UserError(
            f"the triplet loss found an identity with {wrong[0]} sequences in the batch; expected "
            f"per_identity={per_identity} of each (config.data.sampler.sequences)"
        )
