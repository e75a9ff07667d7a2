"""MSGG: a skeleton at three scales, joints, limbs and parts of the body, from fine to coarse.

Peng et al., "Learning rich features for gait recognition by integrating skeletons and silhouettes",
Multimedia Tools and Applications 2023.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.models.layers import graph
from gaitjax.models.layers.batch_norm import BatchNorm
from gaitjax.models.layers.conv import conv
from gaitjax.models.layers.frames import pick
from gaitjax.models.layers.padding import mean_of_valid, valid_frames, zero_padding

MIXES_FRAMES = True
EXAMPLE = {"pose": (12, 3)}
# scale -> neighbours; node i of a scale is made of nodes i and i + V / 2 of the one before
EDGES = {
    "joints": (
        *((7, 1), (1, 0), (10, 4), (4, 6), (8, 2), (2, 3), (11, 5), (5, 9)),  # arms, legs
        *((9, 3), (3, 0), (9, 6), (6, 0)),  # shoulders and hips
    ),
    "limbs": ((1, 0), (4, 0), (0, 3), (2, 3), (5, 3)),
    "bodyparts": ((1, 0), (2, 0)),
}
TRUNK = 3  # every third node of a scale belongs to the trunk


def adjacency(scale: str) -> np.ndarray:
    """What a node takes from itself, from the trunk and from limbs: [3, V, V], float32."""
    own, others = graph.by_distance(EDGES[scale], 1)
    trunk = np.arange(len(own))[:, None] % TRUNK == 0
    return np.stack([own, others * trunk, others * ~trunk]).astype(np.float32)


class Model(nn.Module):
    """MSGG.

    Attributes:
        classes: label -> number of classes; `identity` counts.
        channels: of each pair of blocks.
        embedding: channels of the embedding.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    channels: tuple[int, ...] = (16, 32, 64, 128)
    embedding: int = 128
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'pose' [N, T, 12, 3], x, y, confidence, as the transform `choose_joints` orders
                the joints.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, 1, embedding].
        """
        valid = valid_frames(lengths, inputs["pose"].shape[1])
        scales = self._scales(pick(inputs, "pose", self.dtype), train, valid)
        wide = jnp.promote_types(self.dtype, jnp.float32)
        means = {s: mean_of_valid(x.astype(wide), valid).mean(1) for s, x in scales.items()}
        embeddings = self._linear(self.embedding, wide, "fc")(means["bodyparts"])
        normalised = BatchNorm(wide, name="bn")(embeddings, train)
        logits = self._linear(self.classes["identity"], wide, "head", bias=False)(normalised)
        fed = {**means, "bodyparts": embeddings}
        triplets = {f"triplet_{scale}": {"embeddings": x[:, None]} for scale, x in fed.items()}
        terms = {**triplets, "softmax": {"logits": logits[:, None]}}
        return Output(embeddings[:, None], terms=terms)

    def _scales(self, x: jax.Array, train: bool, valid: jax.Array) -> dict[str, jax.Array]:
        """Scale -> [N, T, V, channels[-1]]; after every block a scale adds the one before."""
        scales = {"joints": x, "limbs": _pool(x), "bodyparts": _pool(_pool(x))}
        for i, features in enumerate(np.repeat(self.channels, 2).tolist()):
            for scale, x in scales.items():
                block = Block(features, i > 0, self.dtype, name=f"{scale}{i}")
                scales[scale] = block(x, adjacency(scale), train, valid)
            scales["limbs"] += _pool(scales["joints"])
            scales["bodyparts"] += _pool(scales["limbs"])
        return scales

    @staticmethod
    def _linear(features: int, dtype: Any, name: str, bias: bool = True) -> nn.Dense:
        # A head that was left out has 0 classes.
        initial = nn.initializers.xavier_uniform() if features else nn.initializers.zeros
        return nn.Dense(
            features, bias, dtype=dtype, param_dtype=dtype, kernel_init=initial, name=name
        )


class Block(nn.Module):
    """A graph convolution and a convolution of 9 frames, as in ST-GCN (Yan et al., AAAI 2018).

    Attributes:
        features: channels of the result.
        residual: whether what goes in is added.
        dtype: of the activations.
    """

    features: int
    residual: bool
    dtype: Any

    @nn.compact
    def __call__(
        self, x: jax.Array, adjacency: np.ndarray, train: bool, valid: jax.Array
    ) -> jax.Array:
        """Maps [N, T, V, C] to [N, T, V, features] with an adjacency [K, V, V]."""

        def normalise(x: jax.Array, name: str) -> jax.Array:
            return BatchNorm(self.dtype, name=name)(x, train, valid)

        wide = jnp.promote_types(self.dtype, jnp.float32)
        edge = self.param("edge", nn.initializers.ones, adjacency.shape, wide)
        y = graph.partitioned_convolution(x, edge * adjacency, self.features, self.dtype, "graph")
        y = zero_padding(nn.relu(normalise(y, "graph_bn")), valid)
        y = conv(self.features, (9, 1), self.dtype, "temporal", bias=True)(y)
        y = normalise(y, "temporal_bn")
        if not self.residual:
            return nn.relu(y)
        if x.shape[-1] != self.features:
            x = conv(self.features, 1, self.dtype, "residual", bias=True)(x)
            x = normalise(x, "residual_bn")
        return nn.relu(y + x)


def _pool(x: jax.Array) -> jax.Array:
    """The next coarser scale of [N, T, V, C]: [N, T, V / 2, C]."""
    first, second = jnp.split(x, 2, 2)
    return (first + second) / 2


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for another graph than here.
    """
    expected = {"layout": "body_12", "strategy": "gait_temporal"}
    if model_cfg["graph_cfg"] != expected:
        raise UserError(f"model_cfg.graph_cfg is {model_cfg['graph_cfg']}; expected {expected}")
    return {
        "channels": tuple(model_cfg["in_channels"][1:]),
        "embedding": model_cfg["out_channels"],
    }


def _derived(edge: tuple[int, ...]) -> np.ndarray:
    """The adjacency that belongs to the importances of its edges, of such a shape."""
    return next(a for a in map(adjacency, EDGES) if a.shape == edge)


OPENGAIT = [
    rule
    for ours, theirs in (("joints", "low"), ("limbs", "medium"), ("bodyparts", "high"))
    for rule in (
        (f"{ours}0/edge", f"A_{theirs}Semantic", _derived),
        (f"{ours}{{i}}/edge", f"edge_importance_{theirs}Semantic.{{i}}", "as_is"),
        *[
            (f"{ours}{{i}}/{part}", f"st_gcn_networks_{theirs}Semantic.{{i}}.{name}", layout)
            for part, name, layout in (
                ("graph", "gcn.conv", "conv"),
                ("graph_bn", "tcn.0", "batch_norm"),
                ("temporal", "tcn.2", "conv"),
                ("temporal_bn", "tcn.3", "batch_norm"),
                ("residual", "residual.0", "conv"),
                ("residual_bn", "residual.1", "batch_norm"),
            )
        ],
    )
] + [
    ("fc", "fc", "linear"),
    ("bn", "bn_neck", "batch_norm"),
    ("head", "encoder_cls", "linear"),
]
