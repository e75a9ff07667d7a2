"""Projector and predictor of contrastive learning, for every part by itself.

They are those of SimSiam (Chen & He, CVPR 2021), with separate layers for the parts of GaitSSB.
"""

from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.separate import SeparateFCs, l2_normalise


class SeparateMLP(nn.Module):
    """Two linear layers a part that keep the number of channels, BatchNorm and ReLU between.

    Attributes:
        normalise: whether a BatchNorm comes last, as in a projector; a predictor has none.
        dtype: of the activations.
    """

    normalise: bool
    dtype: Any

    @nn.compact
    def __call__(self, x: jax.Array, train: bool) -> jax.Array:
        """Maps the parts of x [N, P, C]; each channel of each has its own statistics."""
        features = x.shape[-1]
        x = SeparateFCs(features, self.dtype, name="fc1")(x)
        x = nn.relu(BatchNorm(self.dtype, axes=2, name="bn1")(x, train))
        x = SeparateFCs(features, self.dtype, name="fc2")(x)
        return BatchNorm(self.dtype, axes=2, name="bn2")(x, train) if self.normalise else x


def unit(x: jax.Array) -> jax.Array:
    """Every part of [N, P, C] at unit length, in float32 or above."""
    return l2_normalise(x.astype(jnp.promote_types(x.dtype, jnp.float32)), -1)


def contrast(predicted: jax.Array, projected: jax.Array) -> dict[str, jax.Array]:
    """Which sequence a prediction is of: cosines to the projections of all of them.

    Args:
        predicted: [m, P, C] of unit length.
        projected: [m, P, C] of unit length, of the other view; it takes no gradient (SimSiam).

    Returns:
        'logits' [m, P, m], and 'labels' [m].
    """
    logits = jnp.einsum("ipc,jpc->ipj", predicted, jax.lax.stop_gradient(projected))
    return {"logits": logits, "labels": jnp.arange(len(predicted))}


OPENGAIT = [
    (f"{name}/{ours}", f"{name}.{theirs}", layout)
    for name in ("projector", "predictor")
    for ours, theirs, layout in (
        ("fc1/kernel", "0.fc_bin", "as_is"),
        ("bn1", "1.bn1d", "parts_bn"),
        ("fc2/kernel", "3.fc_bin", "as_is"),
        ("bn2", "4.bn1d", "parts_bn"),
    )
]
