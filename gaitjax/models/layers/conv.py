"""Convolutions as the silhouette networks use them."""

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

CHUNK = 8  # images whose patches fit into a CPU's caches


def conv(
    features: int,
    kernel: int | tuple[int, ...],
    dtype: Any,
    name: str,
    stride: int | tuple[int, ...] = 1,
    padding: tuple[int, ...] | None = None,
    bias: bool = False,
) -> nn.Conv:
    """A convolution that pads as PyTorch does.

    `padding='SAME'` would pad a strided convolution by other amounts.

    Args:
        features: channels of the result.
        kernel: a number for images [..., H, W, C]; a tuple for the axes before C, such as
            (3, 3, 3) for videos [N, T, H, W, C].
        dtype: of the result.
        name: of the parameters.
        stride: of every axis, or a tuple.
        padding: zeros on both sides of every axis; by default half of the kernel.
        bias: whether to add one.
    """
    size = (kernel, kernel) if isinstance(kernel, int) else kernel
    around = tuple(k // 2 for k in size) if padding is None else padding
    plain = len(size) == 2 and size[0] == size[1] and stride == 1 and padding is None
    return nn.Conv(
        features,
        size,
        strides=stride,
        padding=[(p, p) for p in around],
        use_bias=bias,
        kernel_init=nn.initializers.xavier_uniform(),
        dtype=dtype,
        param_dtype=jnp.promote_types(dtype, jnp.float32),
        conv_general_dilated=_convolve if plain else jax.lax.conv_general_dilated,
        name=name,
    )


def _convolve(x: jax.Array, kernel: jax.Array, *args: Any, **options: Any) -> jax.Array:
    return same_conv(x, kernel)


@jax.custom_vjp
def same_conv(x: jax.Array, kernel: jax.Array) -> jax.Array:
    """Convolves images [M, H, W, C] with an odd kernel [K, K, C, D] to [M, H, W, D].

    On the CPU XLA takes up to ten times longer for the kernel's gradient than for the convolution;
    there the gradient is a sum of matrix products, a few images at a time.
    """
    return _plain(x, kernel)


def _plain(x: jax.Array, kernel: jax.Array) -> jax.Array:
    half = kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        x, kernel, (1, 1), ((half, half), (half, half)), dimension_numbers=("NHWC", "HWIO", "NHWC")
    )


def _forward(x: jax.Array, kernel: jax.Array) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    return same_conv(x, kernel), (x, kernel)


def _backward(saved: tuple[jax.Array, jax.Array], grad: jax.Array) -> tuple[jax.Array, jax.Array]:
    x, kernel = saved
    turned = kernel[::-1, ::-1].swapaxes(2, 3)
    of_kernel = jax.lax.platform_dependent(
        x, grad, kernel, cpu=_kernel_gradient_of_chunks, default=_kernel_gradient
    )
    return same_conv(grad, turned), of_kernel


def _kernel_gradient(x: jax.Array, grad: jax.Array, kernel: jax.Array) -> jax.Array:
    _, pullback = jax.vjp(lambda k: _plain(x, k), kernel)
    result: jax.Array = pullback(grad)[0]
    return result


def _kernel_gradient_of_chunks(x: jax.Array, grad: jax.Array, kernel: jax.Array) -> jax.Array:
    size, half = kernel.shape[0], kernel.shape[0] // 2
    images, height, width, channels = x.shape
    wide = width + 2 * half
    chunk = math.gcd(images, CHUNK)
    exact = jnp.promote_types(x.dtype, jnp.float32)

    def add(total: jax.Array, pair: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, None]:
        # Rows of an image one after another, with their padding: a shift of the kernel is then an
        # offset, and the padding of the gradient takes out what lies across the ends of rows.
        x = jnp.pad(pair[0], ((0, 0), (half, half + 1), (half, half), (0, 0)))
        x = x.reshape(chunk, -1, channels)
        grad = jnp.pad(pair[1], ((0, 0), (0, 0), (0, 2 * half), (0, 0)))
        grad = grad.reshape(chunk, height * wide, -1)
        offsets = [i * wide + j for i in range(size) for j in range(size)]
        patches = jnp.concatenate([x[:, o : o + height * wide] for o in offsets], -1)
        product = jnp.einsum("mpk,mpd->mkd", patches, grad, preferred_element_type=exact)
        return total + product.sum(0), None

    def split(y: jax.Array) -> jax.Array:
        return y.reshape(images // chunk, chunk, *y.shape[1:])

    start = jnp.zeros((size * size * channels, kernel.shape[-1]), exact)
    total, _ = jax.lax.scan(add, start, (split(x), split(grad)))
    return total.reshape(kernel.shape).astype(kernel.dtype)


same_conv.defvjp(_forward, _backward)
