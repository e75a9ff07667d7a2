"""GaitGraph: joints of poses, seen by a graph convolutional network.

Teepe et al., "GaitGraph: graph convolutional network for skeleton-based gait recognition", ICIP
2021.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax import skeletons
from gaitjax.models import Output
from gaitjax.models.layers import resgcn
from gaitjax.models.layers.frames import pick, reverse
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.separate import l2_normalise

MIXES_FRAMES = True


class Model(nn.Module):
    """GaitGraph. It is trained on two views of every sequence, which are rows of the batch.

    Attributes:
        classes: label -> number of classes; it has no use for them.
        skeleton: of the poses, a key of `gaitjax.skeletons.SKELETONS`.
        branch: channels of the first layers.
        channels: of the layers behind them, which see fewer frames.
        reduction: of channels in bottlenecks.
        embedding: channels of the embedding.
        augmented: whether evaluation embeds a sequence and its reverse.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    skeleton: str = "coco"
    branch: tuple[int, ...] = (64, 64, 32)
    channels: tuple[int, ...] = (128, 128, 256, 256)
    reduction: int = 8
    embedding: int = 128
    augmented: bool = True
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'pose' [N, T, V, 3], x, y, confidence.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, 1, embedding] of length 1; in evaluation, if it is augmented, the mean of
            those of a sequence and of its reverse.
        """
        x = pick(inputs, "pose", self.dtype)
        augmented = self.augmented and not train
        if augmented:
            x, lengths = jnp.concatenate([x, reverse(x, lengths)]), jnp.tile(lengths, 2)
        network = resgcn.ResGCN(
            self.branch, self.channels, self.reduction, self.embedding, self.dtype, name="resgcn"
        )
        adjacency = resgcn.adjacency(skeletons.SKELETONS[self.skeleton].edges)
        valid = valid_frames(lengths, x.shape[1])
        embeddings = l2_normalise(network(x[..., None, :], adjacency, train, valid), -1)
        terms = {"SupConLoss": {"embeddings": embeddings}}
        if augmented:
            embeddings = jnp.stack(jnp.split(embeddings, 2)).mean(0)
        return Output(embeddings[:, None], terms=terms)


def EXAMPLE(model: nn.Module) -> dict[str, tuple[int, ...]]:  # noqa: N802 (a constant elsewhere)
    """The shape of one frame, by modality."""
    return {"pose": (len(skeletons.SKELETONS[model.skeleton].parents), 3)}


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for another ResGCN than here.
    """
    return resgcn.from_opengait(model_cfg)


OPENGAIT = resgcn.OPENGAIT
