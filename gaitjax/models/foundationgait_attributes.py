"""What FoundationGait learnt, asked for attributes of the person (Ye et al., arXiv:2512.00691).

Every value of an attribute, as RAGAR has them, is told from all others by a head of its own.
"""

from collections.abc import Mapping
from typing import Any

import flax.core
import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.models import Output
from gaitjax.models.layers import foundation
from gaitjax.models.layers.foundation import EXAMPLE, Network
from gaitjax.models.layers.separate import SeparateBNNecks

__all__ = ["EXAMPLE", "MIXES_FRAMES", "OPENGAIT", "Model", "from_opengait"]

MIXES_FRAMES = True
NO, YES = 0, 1  # the classes of a head


class Model(Network):
    """What was pretrained, and for every value a BNNeck over all parts.

    The fields are those of `Network`, and one; the `classes` have no use.

    Attributes:
        attributes: label -> how many values it has.
    """

    crops: tuple[int, ...] = (1,)
    attributes: Mapping[str, int] = flax.core.FrozenDict({"diagnosis": 3})

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences, and tells their attributes.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1; in training, seen in crops.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), channels[3]] as pretrained, and for every attribute a
            prediction [N, 1, values]: by how much the cosine to 'yes' is above that to 'no'. The
            term of each of all values is 'softmax_00', 'softmax_01', ...; its class for 'yes' is 1.

        Raises:
            UserError: in training, if the number of rows does not fit to the crops.
        """
        parts = self.pretrained(inputs, lengths, train)
        features = foundation.as_one_part(parts)
        logits = [
            SeparateBNNecks(2, self.dtype, name=f"necks_{i}")(features, train)[1]
            for i in range(sum(self.attributes.values()))
        ]
        terms = {f"softmax_{i:02}": {"logits": x} for i, x in enumerate(logits)}
        predictions = {}
        for label, values in self.attributes.items():
            own, logits = logits[:values], logits[values:]
            predictions[label] = jnp.stack([x[..., YES] - x[..., NO] for x in own], -1)
        return Output(parts, predictions=predictions, terms=terms)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone other than here, or another number of parts.
    """
    listed = enumerate(model_cfg["Attribute_list"])
    attributes = {f"attribute_{i}": values for i, values in listed}
    return {**foundation.from_opengait(model_cfg), "attributes": attributes}


OPENGAIT = [
    *foundation.OPENGAIT,
    ("necks_{i}/kernel", "BNNeck_list.{i}.fc_bin", "as_is"),
    ("necks_{i}/bn", "BNNeck_list.{i}.bn1d", "parts_bn"),
]
