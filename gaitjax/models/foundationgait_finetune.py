"""FoundationGait fine-tuned on labelled walks (Ye et al., arXiv:2512.00691): a new head."""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax

from gaitjax.models import Output
from gaitjax.models.layers import foundation, head
from gaitjax.models.layers.foundation import EXAMPLE, Network

__all__ = ["EXAMPLE", "MIXES_FRAMES", "OPENGAIT", "Model", "from_opengait"]

MIXES_FRAMES = True


class Model(Network):
    """What was pretrained, and a head for every part: the fields of `Network`, and one.

    Of the `classes`, 'identity' is needed.

    Attributes:
        embedding: channels of every part of the embedding.
    """

    embedding: int = 256

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1; in training, seen in crops.
            lengths: [N], frames that count.
            train: whether BatchNorm uses, and keeps, this batch's statistics.
            draws: none are needed.

        Returns:
            embeddings [N, sum(bins), embedding].

        Raises:
            UserError: in training, if the number of rows does not fit to the crops.
        """
        parts = self.pretrained(inputs, lengths, train)
        embeddings, logits = head.embed_and_classify(
            parts, self.embedding, self.classes["identity"], self.dtype, train
        )
        terms = {"triplet": {"embeddings": embeddings}, "softmax": {"logits": logits}}
        return Output(embeddings, terms=terms)


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone or a head other than here.
    """
    return {**head.from_opengait(model_cfg), **foundation.from_opengait(model_cfg)}


OPENGAIT = [*foundation.OPENGAIT, *head.OPENGAIT]
