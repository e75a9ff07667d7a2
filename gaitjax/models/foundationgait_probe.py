"""What FoundationGait learnt, asked for a diagnosis (Ye et al., arXiv:2512.00691).

It tells scoliosis (Scoliosis1K) or depression (D-Gait) from a walk; what was pretrained may be
frozen, which is linear probing, or trained on.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax

from gaitjax.models import Output
from gaitjax.models.layers import foundation
from gaitjax.models.layers.foundation import EXAMPLE, Network
from gaitjax.models.layers.separate import SeparateBNNecks

__all__ = ["EXAMPLE", "LABEL", "MIXES_FRAMES", "OPENGAIT", "Model", "from_opengait"]

LABEL = "diagnosis"  # the type of a sequence
MIXES_FRAMES = True


class Model(Network):
    """What was pretrained, and one BNNeck over all parts: the fields of `Network`.

    Of the `classes`, 'diagnosis' is needed.
    """

    crops: tuple[int, ...] = (1,)

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds and diagnoses sequences.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1; in training, seen in crops.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), channels[3]] as pretrained, and the prediction 'diagnosis'
            [N, 1, classes], the cosines to the classes.

        Raises:
            UserError: in training, if the number of rows does not fit to the crops.
        """
        parts = self.pretrained(inputs, lengths, train)
        necks = SeparateBNNecks(self.classes[LABEL], self.dtype, name="necks")
        _, logits = necks(foundation.as_one_part(parts), train)
        return Output(parts, predictions={LABEL: logits}, terms={"softmax": {"logits": logits}})


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone other than here, or another number of parts.
    """
    return foundation.from_opengait(model_cfg)


OPENGAIT = [
    *foundation.OPENGAIT,
    ("necks/kernel", "BNNecks.fc_bin", "as_is"),
    ("necks/bn", "BNNecks.bn1d", "parts_bn"),
]
