"""The wire between data and training."""

from typing import NamedTuple

import jax
import numpy as np

Array = jax.Array | np.ndarray


class Batch(NamedTuple):
    """N sequences, padded to T frames.

    Attributes:
        inputs: modality -> [N, T, ...], time second and channels last; images are uint8.
        lengths: int32 [N], the frames that count; what lies behind them may be anything.
        labels: label -> int32 [N]; 'identity' is always there.
    """

    inputs: dict[str, Array]
    lengths: Array
    labels: dict[str, Array]
