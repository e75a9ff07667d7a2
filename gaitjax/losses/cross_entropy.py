"""Cross entropy with label smoothing on every part (Szegedy et al., CVPR 2016)."""

import jax
import jax.numpy as jnp


def loss(
    logits: jax.Array,
    labels: jax.Array,
    scale: float = 16,
    label_smoothing: float = 0.1,
    log_accuracy: bool = False,
    against_rest: int | None = None,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """(1 - e) * -log p[label] + e * mean of -log p, averaged over sequences and parts.

    Args:
        logits: [N, P, classes], multiplied by `scale` first.
        labels: int [N].
        scale: the inverse temperature of cosine logits.
        label_smoothing: e.
        log_accuracy: whether the scalars hold 'accuracy'.
        against_rest: which label is told from all others, if one is: its class is 1, theirs 0.

    Returns:
        The loss, and the scalars 'loss' and, where asked for, 'accuracy' (a share).
    """
    if against_rest is not None:
        labels = (labels == against_rest).astype(jnp.int32)
    logits = logits.astype(jnp.promote_types(logits.dtype, jnp.float32))
    negative_log = -jax.nn.log_softmax(scale * logits)
    target = jnp.broadcast_to(labels[:, None, None], (*logits.shape[:2], 1))
    of_label = jnp.take_along_axis(negative_log, target, axis=-1)[..., 0]
    smooth = jnp.mean(negative_log, -1)
    value = jnp.mean((1 - label_smoothing) * of_label + label_smoothing * smooth)
    scalars = {"loss": value}
    if log_accuracy:
        scalars["accuracy"] = jnp.mean(jnp.argmax(logits, -1) == labels[:, None], dtype=value.dtype)
    return value, scalars
