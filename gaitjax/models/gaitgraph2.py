"""GaitGraph2: places, motion and bones of poses, seen by a graph convolutional network.

Teepe et al., "Towards a deeper understanding of skeleton-based gait recognition", CVPR Workshops
2022.
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

MIXES_FRAMES = True


class Model(nn.Module):
    """GaitGraph2.

    Attributes:
        classes: label -> number of classes; it has no use for them.
        skeleton: of the poses, a key of `gaitjax.skeletons.SKELETONS`.
        branch: channels of the layers that see one stream.
        channels: of the layers that see all streams.
        reduction: of channels in bottlenecks.
        embedding: channels of the embedding.
        augmented: whether evaluation embeds a sequence, its reverse and one with swapped sides.
        confidence_channel: of the transform `pose_streams`, for these two.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    skeleton: str = "coco"
    branch: tuple[int, ...] = (64, 32)
    channels: tuple[int, ...] = (128, 256)
    reduction: int = 8
    embedding: int = 128
    augmented: bool = True
    confidence_channel: int = 3
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'pose' [N, T, V, 3, 5], as the transform `pose_streams` makes it.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, 1, embedding]; in evaluation, if it is augmented, three times as many
            channels: of the sequence, of its reverse, of the one with swapped sides.
        """
        x = pick(inputs, "pose", self.dtype)
        skeleton = skeletons.SKELETONS[self.skeleton]
        augmented = self.augmented and not train
        if augmented:
            x = jnp.concatenate([x, *self._copies(x, lengths)])
            lengths = jnp.tile(lengths, 3)
        network = resgcn.ResGCN(
            self.branch, self.channels, self.reduction, self.embedding, self.dtype, name="resgcn"
        )
        valid = valid_frames(lengths, x.shape[1])
        embeddings = network(x, resgcn.adjacency(skeleton.edges), train, valid)
        terms = {"SupConLoss": {"embeddings": embeddings}}
        if augmented:
            embeddings = jnp.concatenate(jnp.split(embeddings, 3), -1)
        return Output(embeddings[:, None], terms=terms)

    def _copies(self, x: jax.Array, lengths: jax.Array) -> list[jax.Array]:
        """The streams of the reversed sequences, and of those with swapped sides."""
        skeleton = skeletons.SKELETONS[self.skeleton]
        poses = x[..., 0, :3]
        copies = (reverse(poses, lengths), poses[:, :, jnp.array(skeleton.opposite)])
        # Around the skeleton's centre, as in OpenGait, though the sequence is around joint 0.
        return [
            skeletons.streams(y, lengths, skeleton, skeleton.centre, self.confidence_channel)
            for y in copies
        ]


def EXAMPLE(model: nn.Module) -> dict[str, tuple[int, ...]]:  # noqa: N802 (a constant elsewhere)
    """The shape of one frame, by modality."""
    return {"pose": (len(skeletons.SKELETONS[model.skeleton].parents), 3, 5)}


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for another ResGCN than here.
    """
    return resgcn.from_opengait(model_cfg)


OPENGAIT = resgcn.OPENGAIT
