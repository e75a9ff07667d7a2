"""SwinGait: convolutions, then a Video Swin Transformer (Fan et al., arXiv:2303.03301)."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import head, residual
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, set_max
from gaitjax.models.layers.resize import resize_bilinear
from gaitjax.models.layers.video_swin import VideoSwin, relative_position_index

EXAMPLE = {"silhouette": (64, 44)}  # the shape of one frame, by modality
MIXES_FRAMES = True  # before they are pooled
SIZE = (30, 20)  # of the maps that the transformer reads
WINDOW = (3, 3, 5)  # frames, rows and columns of tokens, of 2 x 2 pixels each


class Model(nn.Module):
    """SwinGait.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        channels: of the two stages of convolutions and of the two stages of the transformer.
        blocks: of the four stages.
        heads: of the attention, in the two stages of the transformer.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        drop_path: share of the sequences that go around the transformer's last block in training;
            for earlier blocks it is less.
        remat: whether to compute each block again for its gradient, which saves memory.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    channels: tuple[int, int, int, int] = (64, 128, 256, 512)
    blocks: tuple[int, int, int, int] = (1, 1, 2, 2)
    heads: tuple[int, int] = (16, 32)
    embedding: int = 256
    bins: tuple[int, ...] = (15,)
    drop_path: float = 0.1
    remat: bool = False
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1, H and W even.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics, and drop path acts.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), embedding] before the BNNecks.
        """
        x = images(inputs, "silhouette", self.dtype)
        x = self._convolutions(x, train, valid_frames(lengths, x.shape[1]))
        x = VideoSwin(
            self.channels[2:],
            self.blocks[2:],
            self.heads,
            WINDOW,
            self.drop_path,
            self.dtype,
            self.remat,
            name="transformer",
        )(resize_bilinear(x, *SIZE), train, lengths)
        parts = horizontal_pyramid(set_max(x, lengths), self.bins)
        # OpenGait's heads have one part more, of the lowest strip, which nothing is done with.
        parts = jnp.concatenate([parts, jax.lax.stop_gradient(parts[:, -1:])], 1)
        embeddings, logits = head.embed_and_classify(
            parts, self.embedding, self.classes["identity"], self.dtype, train
        )
        embeddings, logits = embeddings[:, :-1], logits[:, :-1]
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)

    def _convolutions(self, x: jax.Array, train: bool, valid: jax.Array) -> jax.Array:
        """[N, T, H, W, C] -> [N, T, H / 2, W / 2, channels[1]]."""
        first, second, *_ = self.channels
        x = residual.stem(x, first, self.blocks[0], self.dtype, train, valid, remat=self.remat)
        stage = residual.Stage(
            "p3d", second, self.blocks[1], 2, self.dtype, self.remat, name="layer2"
        )
        y: jax.Array = stage(x, train, valid)
        return y


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    The transformer's channels and heads are not in it.
    """
    return {
        "channels": (*model_cfg["Backbone"]["channels"], 256, 512),
        "blocks": tuple(model_cfg["Backbone"]["layers"]),
        "embedding": model_cfg["SeparateBNNecks"]["in_channels"],
        "bins": tuple(model_cfg["bin_num"]),
    }


_OURS, _THEIRS = "transformer/stage{i}_{j}", "transformer.layers.{i}.blocks.{j}"
_TABLE = f"{_OURS}/attention/relative_position_bias"
OPENGAIT = [
    *residual.OPENGAIT,
    ("transformer/patches", "transformer.patch_embed.proj", "conv"),
    ("transformer/patches_norm", "transformer.patch_embed.norm", "layer_norm"),
    (f"{_OURS}/norm{{k}}", f"{_THEIRS}.norm{{k}}", "layer_norm"),
    (f"{_OURS}/attention/qkv", f"{_THEIRS}.attn.qkv", "linear"),
    (f"{_OURS}/attention/proj", f"{_THEIRS}.attn.proj", "linear"),
    (_TABLE, f"{_THEIRS}.attn.relative_position_bias_table", "as_is"),
    (
        _TABLE,
        f"{_THEIRS}.attn.relative_position_index",
        lambda table: relative_position_index(WINDOW),
    ),
    (f"{_OURS}/mlp{{k}}", f"{_THEIRS}.mlp.fc{{k}}", "linear"),
    ("transformer/widen1_norm", "transformer.layers.0.downsample.0", "layer_norm"),
    ("transformer/widen1", "transformer.layers.0.downsample.1", "linear"),
    ("transformer/norm", "transformer.norm", "layer_norm"),
    *head.OPENGAIT,
]
