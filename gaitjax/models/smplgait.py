"""SMPLGait: silhouettes turned to one view by 3-D body models (Zheng et al., CVPR 2022)."""

from collections.abc import Mapping
from typing import Any

import flax
import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.models.layers import backbone, head
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.frames import images, pick
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max

# The shape of one frame, by modality; SMPL: camera 3, pose 72, shape 10.
EXAMPLE = {"silhouette": (64, 44), "parsing": (64, 44), "smpl": (85,)}

SIDE = 16  # height of the feature maps, and rows and columns of their transformations
PLAIN6 = {
    "type": "plain",
    "layers": ("BC-64", "BC-64", "M", "BC-128", "BC-128", "M", "BC-256", "BC-256"),
}


class Model(nn.Module):
    """SMPLGait.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        modality: what is read beside 'smpl': 'silhouette' or 'parsing'.
        backbone: 'type' (resnet or plain), and the fields of that backbone; it has to make maps 16
            high and at most 16 wide.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        dropout: rate in the branch of the body models.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    modality: str = "silhouette"
    backbone: Mapping[str, Any] = flax.core.FrozenDict(PLAIN6)
    embedding: int = 256
    bins: tuple[int, ...] = (16, 8, 4, 2, 1)
    dropout: float = 0.2
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: `modality` -> [N, T, H, W], silhouettes in 0..1; 'smpl' [N, T, 85].
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics, and dropout acts.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), embedding] before the BNNecks.

        Raises:
            UserError: if the frames become maps of another size.
        """
        x = images(inputs, self.modality, self.dtype)
        valid = valid_frames(lengths, x.shape[1])
        x = backbone.build(self.backbone, self.dtype)(x, train, valid)
        height, width = x.shape[2:4]
        if height != SIDE or width > SIDE:
            raise UserError(
                f"the backbone makes maps of {height} x {width}; SMPLGait needs {SIDE} x {SIDE} or "
                "less wide: choose other frames (64 x 44), or another config.model.backbone"
            )
        transformation = self._transformation(pick(inputs, "smpl", self.dtype), train, valid)
        # Columns of zeros, which make the maps square, would leave out the other rows.
        x = jnp.einsum("nthkc,ntkw->nthwc", x, transformation[:, :, :width])
        embeddings, logits = head.embed_and_classify(
            horizontal_pyramid(set_max(x, lengths), self.bins),
            self.embedding,
            self.classes["identity"],
            self.dtype,
            train,
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)

    def _transformation(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """Body models [N, T, 85] -> matrices [N, T, 16, 16]."""
        for i, features in enumerate((128, 256, SIDE * SIDE), 1):
            x = nn.Dense(
                features,
                kernel_init=nn.initializers.xavier_uniform(),
                dtype=self.dtype,
                param_dtype=jnp.promote_types(self.dtype, jnp.float32),
                name=f"fc{i}",
            )(x)
            if i > 1:
                x = nn.Dropout(self.dropout, deterministic=not train)(x)
            x = nn.relu(BatchNorm(self.dtype, name=f"bn{i}")(x, train, valid))
        return x.reshape(*x.shape[:2], SIDE, SIDE) + jnp.eye(SIDE, dtype=self.dtype)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone or BNNecks other than here.
    """
    return {
        "backbone": backbone.from_opengait(model_cfg["backbone_cfg"]),
        **head.from_opengait(model_cfg),
    }


OPENGAIT = [
    *backbone.OPENGAIT,
    *head.OPENGAIT,
    ("fc{i}", "fc{i}", "linear"),
    ("bn{i}", "bn{i}", "batch_norm"),
]
