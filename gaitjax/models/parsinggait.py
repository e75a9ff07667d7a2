"""ParsingGait: gait as body parts, and a graph that ties them (Zheng et al., ACM MM 2023)."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import backbone, graph, head
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.padding import valid_frames
from gaitjax.models.layers.pooling import horizontal_pyramid, largest, set_max

EXAMPLE = {"parsing": (64, 44)}  # the shape of one frame, by modality

# graph -> its nodes, each the labels of its body parts: 1 head, 2 torso, 3 and 4 left and right
# arm, 5 and 6 hand, 7 and 8 leg, 9 and 10 foot, 11 dress
NODES: Mapping[str, tuple[tuple[int, ...], ...]] = {
    "fine": tuple((label,) for label in range(1, 12)),
    "coarse": ((1, 2, 11), (3, 5), (4, 6), (7, 9), (8, 10)),
}
ADJACENCY = {
    "fine": graph.normalised_adjacency(
        {
            1: (2, 11),
            2: (1, 3, 4, 7, 8),
            3: (2, 5, 11),
            4: (2, 6, 11),
            5: (3,),
            6: (4,),
            7: (2, 9, 11),
            8: (2, 10, 11),
            9: (7,),
            10: (8,),
            11: (1, 3, 4, 7, 8),
        }
    ),
    "coarse": graph.normalised_adjacency({1: (2, 3, 4, 5), 2: (1,), 3: (1,), 4: (1,), 5: (1,)}),
}


class Model(nn.Module):
    """ParsingGait.

    Attributes:
        classes: label -> number of classes; 'identity' is needed.
        backbone: 'type' (resnet or plain), and the fields of that backbone.
        graphs: of 'fine' (11 parts) and 'coarse' (5 groups of them), in this order.
        embedding: channels of every part of the embedding.
        bins: strips of the horizontal pyramid.
        dropout: rate before each graph convolution.
        dtype: of the activations.
    """

    classes: Mapping[str, int]
    backbone: Mapping[str, Any] = backbone.RESNET9
    graphs: tuple[str, ...] = ("coarse",)
    embedding: int = 256
    bins: tuple[int, ...] = (16,)
    dropout: float = 0.5
    dtype: Any = jnp.float32

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'parsing' [N, T, H, W], the labels 0 to 11 as numbers.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics, and dropout acts.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins) + 11 and/or 5, embedding] before the BNNecks: strips, then the
            nodes of the graphs.
        """
        labels = images(inputs, "parsing", self.dtype)
        valid = valid_frames(lengths, labels.shape[1])
        x = backbone.build(self.backbone, self.dtype)(labels, train, valid)
        labels = nearest(labels[..., 0], *x.shape[2:4]).astype(jnp.int32)
        parts = [horizontal_pyramid(set_max(x, lengths), self.bins)]
        for name in self.graphs:
            gammas = self.param(
                f"{name}_gammas",
                nn.initializers.constant(0.75),
                (len(NODES[name]),),
                jnp.promote_types(self.dtype, jnp.float32),
            )
            nodes = node_features(x, labels, NODES[name], gammas.astype(self.dtype))
            network = graph.GraphNetwork(x.shape[-1], self.dropout, self.dtype, name=name)
            parts.append(set_max(network(nodes, ADJACENCY[name], train, valid), lengths))
        embeddings, logits = head.embed_and_classify(
            jnp.concatenate(parts, 1), self.embedding, self.classes["identity"], self.dtype, train
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)


def nearest(x: jax.Array, height: int, width: int) -> jax.Array:
    """Resizes maps [N, T, H, W] by picking pixel floor(i * H / height), as PyTorch does."""
    rows = jnp.arange(height) * x.shape[2] // height
    columns = jnp.arange(width) * x.shape[3] // width
    return x[:, :, rows[:, None], columns]


def node_features(
    x: jax.Array, labels: jax.Array, nodes: tuple[tuple[int, ...], ...], gammas: jax.Array
) -> jax.Array:
    """Mean plus maximum of a frame, in which the parts of a node weigh g, all else 1 - g.

    Args:
        x: [N, T, H, W, C].
        labels: int [N, T, H, W], the body part at every place.
        nodes: the labels of each of K nodes.
        gammas: [K], the weights g.

    Returns:
        [N, T, K, C].
    """
    inside = jnp.stack([jnp.isin(labels, jnp.array(node)) for node in nodes], -1)
    weights = jnp.where(inside, gammas, 1 - gammas)
    weighted = x[..., None, :] * weights[..., None]
    weighted = weighted.reshape(*x.shape[:2], -1, *weighted.shape[4:])
    return weighted.mean(2) + largest(weighted, 2)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone or BNNecks other than here.
    """
    theirs = model_cfg["gcn_cfg"]
    if theirs["only_fine_graph"]:
        graphs: tuple[str, ...] = ("fine",)
    elif theirs["only_coarse_graph"]:
        graphs = ("coarse",)
    else:
        graphs = ("fine", "coarse")
    return {
        "backbone": backbone.from_opengait(model_cfg["backbone_cfg"]),
        "graphs": graphs,
        **head.from_opengait(model_cfg),
    }


OPENGAIT = [
    *backbone.OPENGAIT,
    *head.OPENGAIT,
    *[(f"{name}_gammas", f"gammas_{name}", "as_is") for name in NODES],
    *[
        (f"{name}/{ours}", f"gcn_{name}.{theirs}", layout)
        for name in NODES
        for ours, theirs, layout in graph.OPENGAIT
    ],
]
