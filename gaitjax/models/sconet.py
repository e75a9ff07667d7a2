"""ScoNet: GaitBase that tells scoliosis from a walk (Zhou et al., MICCAI 2024)."""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

import jax

from gaitjax.models import Output, gaitbase
from gaitjax.models.gaitbase import EXAMPLE, OPENGAIT, from_opengait

__all__ = ["EXAMPLE", "LABEL", "OPENGAIT", "Model", "from_opengait"]

LABEL = "diagnosis"  # negative, neutral or positive: the type of a sequence of Scoliosis1K


class Model(gaitbase.Model):
    """ScoNet: GaitBase's fields, of whose `classes` 'diagnosis' is needed."""

    label: ClassVar[str] = LABEL

    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences as GaitBase does, and diagnoses them.

        Returns:
            embeddings [N, sum(bins), embedding] and the prediction 'diagnosis'
            [N, sum(bins), classes], the cosines to the classes.
        """
        output: Output = super().__call__(inputs, lengths, train=train, draws=draws)
        return dataclasses.replace(output, predictions={LABEL: output.terms["softmax"]["logits"]})
