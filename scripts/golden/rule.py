"""The rule that fills a reference checkpoint with numbers, so that no weights need storing.

Both functions depend on (seed, key) and the shape alone: NumPy's PCG64, seeded by the CRC-32 of
"seed:key". A folder with a `golden_rule.py` of its own is checked by that one instead.
"""

import math
import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np


def fill(seed: int, key: str, shape: Sequence[int]) -> np.ndarray:
    """One entry of a state_dict, as PyTorch lays it out.

    Variances and the scales of normalisations are uniform in 0.5..1.5; means, biases and whatever
    else is a vector are normal with deviation 0.1; matrices and kernels are normal with the
    variance 2 / fan-in (He et al., ICCV 2015), the fan-in of [parts, in, out] being `in`.

    Args:
        seed: of the case.
        key: the entry's name.
        shape: the entry's shape.

    Returns:
        float32; for batch counters int64 zeros.
    """
    random, shape, leaf = _random(f"{seed}:{key}"), tuple(shape), key.split(".")[-1]
    if leaf == "num_batches_tracked":
        return np.zeros(shape, np.int64)
    if leaf == "running_var" or (leaf == "weight" and len(shape) < 2):
        return random.uniform(0.5, 1.5, shape).astype(np.float32)
    normal = random.standard_normal(shape)
    if leaf == "running_mean" or len(shape) < 2:
        return (0.1 * normal).astype(np.float32)
    fan_in = shape[1] if len(shape) == 3 else math.prod(shape[1:])
    return (normal * np.sqrt(2.0 / fan_in)).astype(np.float32)


def probe(seed: int, key: str, x: np.ndarray) -> dict[str, Any]:
    """A tensor's fingerprint.

    Args:
        seed: of the case.
        key: the tensor's name.
        x: the tensor, in PyTorch's layout.

    Returns:
        'shape', and as float64 'norm' (of all entries), 'mean', and 'dot', the product with a
        vector of normal numbers.
    """
    x = np.asarray(x, np.float64)
    vector = _random(f"{seed}:probe:{key}").standard_normal(x.size)
    return {
        "shape": list(x.shape),
        "norm": float(np.sqrt((x * x).sum())),
        "mean": float(x.mean()) if x.size else 0.0,
        "dot": float(vector @ x.reshape(-1)),
    }


def _random(text: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(text.encode()))


class Rule(NamedTuple):
    """`fill` and `probe` of this module, or others with their arguments."""

    fill: Callable[[int, str, Sequence[int]], np.ndarray]
    probe: Callable[[int, str, np.ndarray], dict[str, Any]]


RULE = Rule(fill, probe)
