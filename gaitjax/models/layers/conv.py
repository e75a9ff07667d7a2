"""Convolutions as the silhouette networks use them."""

from typing import Any

import flax.linen as nn
import jax.numpy as jnp


def conv(features: int, kernel: int, dtype: Any, name: str, stride: int = 1) -> nn.Conv:
    """A square convolution without bias, padded by half its kernel as PyTorch pads.

    `padding='SAME'` would pad a strided convolution by other amounts.
    """
    half = kernel // 2
    return nn.Conv(
        features,
        (kernel, kernel),
        strides=stride,
        padding=((half, half), (half, half)),
        use_bias=False,
        kernel_init=nn.initializers.xavier_uniform(),
        dtype=dtype,
        param_dtype=jnp.promote_types(dtype, jnp.float32),
        name=name,
    )
