"""FoundationGait's pretraining: a student that sees crops, a teacher that is its moving average.

Ye et al., Silhouette-based Gait Foundation Model, arXiv:2512.00691. A sequence is drawn twice, with
frames and augmentation of its own. From one view in crops the student predicts what the teacher
finds in the other one whole, more alike than what it finds in other sequences.
"""

from collections.abc import Mapping
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from gaitjax.errors import UserError
from gaitjax.models import Output
from gaitjax.models.layers import foundation
from gaitjax.models.layers.foundation import EXAMPLE, Network
from gaitjax.models.layers.frames import images
from gaitjax.models.layers.projector import contrast, unit

__all__ = ["EXAMPLE", "MIXES_FRAMES", "OPENGAIT", "Model", "from_opengait", "frozen"]

MIXES_FRAMES = True


class Model(Network):
    """FoundationGait's teacher and student: the fields of `Network`, and those of the average.

    `config.freeze` has to name 'teacher/*': its parameters move by `after_step`. Like the
    student's, its BatchNorm uses the statistics of its own batches. The `classes` have no use.

    Attributes:
        momentum: share that the teacher keeps of itself in the first step.
        steps: of the training, in the last of which it keeps all of itself.
    """

    momentum: float = 0.99
    steps: int = 40_000

    @nn.nowrap
    def init(self, *args: Any, **options: Any) -> dict[str, Any]:
        """The variables before the first step: teacher and student are the same."""
        variables = super().init(*args, **options)
        return {
            name: {**tree, "student": jax.tree.map(jnp.copy, tree["teacher"])}
            for name, tree in variables.items()
        }

    @nn.compact
    def __call__(
        self, inputs: Mapping[str, jax.Array], lengths: jax.Array, *, train: bool, draws: Any = None
    ) -> Output:
        """Embeds sequences, or contrasts two views of each.

        Args:
            inputs: 'silhouette' [N, T, H, W] in 0..1; in training, the two views of a sequence are
                rows next to each other, the teacher's first.
            lengths: [N], frames that count.
            train: whether rows are pairs of views, and BatchNorm uses, and keeps, the statistics of
                this batch.
            draws: none are needed.

        Returns:
            In evaluation embeddings [N, sum(bins), channels[3]] of unit length a part, the
            teacher's; in training the term 'softmax'.

        Raises:
            UserError: in training, if the number of rows is odd, or does not fit to the crops.
        """
        x = images(inputs, "silhouette", self.dtype)
        teacher = self.foundation("teacher")
        if not train:
            return Output(unit(teacher.predictor(teacher(x, lengths, train), train)))
        if len(x) % 2:
            raise UserError(
                f"foundationgait_pretrain found a batch of {len(x)} rows; expected pairs of views; "
                "set config.data.sampler.type to 'pairs'"
            )
        x, lengths = (y.reshape(-1, 2, *y.shape[1:]) for y in (x, lengths))
        target = teacher(x[:, 0], lengths[:, 0], train)
        teacher.predictor(target, train)  # for its running statistics, which evaluation needs
        student = self.foundation("student")
        found = student(x[:, 1], lengths[:, 1], train, self.crops)
        predicted = student.predictor(found, train)
        return Output(None, terms={"softmax": contrast(unit(predicted), unit(target))})

    def after_step(self, params: Mapping[str, Any], step: jax.Array) -> dict[str, Any]:
        """Moves the teacher towards the student (He et al., MoCo, CVPR 2020; Grill et al., BYOL).

        Args:
            params: after the optimizer.
            step: how many steps were taken, from 1 on.

        Returns:
            The parameters, the teacher's now a share `momentum` of what they were, and the rest the
            student's. The share rises to 1 along half a cosine, and stays there.
        """
        done = jnp.minimum(step / max(self.steps - 1, 1), 1)
        rate = (1 - self.momentum) * (1 + jnp.cos(jnp.pi * done)) / 2

        def move(teacher: jax.Array, student: jax.Array) -> jax.Array:
            return teacher + rate.astype(teacher.dtype) * (student - teacher)

        return {**params, "teacher": jax.tree.map(move, params["teacher"], params["student"])}


def from_opengait(model_cfg: Mapping[str, Any]) -> dict[str, Any]:
    """The options of this network that OpenGait's `model_cfg` asks for.

    Raises:
        UserError: for a backbone other than here, or another number of parts.
    """
    return {**foundation.from_opengait(model_cfg), "momentum": model_cfg["EMA_value"]}


def frozen(model_cfg: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters that no gradient reaches, as patterns of config.freeze."""
    del model_cfg
    return ("teacher/*",)


OPENGAIT = [*foundation.OPENGAIT, *foundation.STUDENT]
