"""What a function costs to compute, found without computing it."""

import math
from collections.abc import Callable
from typing import Any

import jax
from jax.extend.core import Jaxpr, jaxprs_in_params


def multiply_adds(function: Callable[..., Any], *arguments: Any) -> int:
    """Multiply-adds of all convolutions and matrix products, as papers count them.

    A product with the zeros of a convolution's padding counts; what is no product of matrices does
    not. XLA's own count (`cost_analysis`) leaves out the former and has the latter.

    Args:
        function: of arrays.
        arguments: its arguments, or their shapes and types.
    """
    return _total(jax.make_jaxpr(function)(*arguments).jaxpr)


def peak_memory(function: Callable[..., Any], *arguments: Any) -> int:
    """Bytes that a function needs beside its arguments: all that is between, and the result.

    Args:
        function: of arrays; it is compiled for the first device.
        arguments: its arguments, or their shapes and types.
    """
    analysis = jax.jit(function).lower(*arguments).compile().memory_analysis()
    assert analysis is not None, "XLA tells it on every platform"
    return int(analysis.temp_size_in_bytes + analysis.output_size_in_bytes)


def _total(jaxpr: Jaxpr) -> int:
    return sum(_of(equation) for equation in jaxpr.eqns)


def _of(equation: Any) -> int:
    name, parameters = equation.primitive.name, equation.params
    if name in ("dot_general", "conv_general_dilated"):
        left, right = (operand.aval.shape for operand in equation.invars)
        return int(equation.outvars[0].aval.size * _products(name, parameters, left, right))
    inner = sum(_total(jaxpr) for jaxpr in jaxprs_in_params(parameters))
    return inner * int(parameters["length"] if name == "scan" else 1)


def _products(name: str, parameters: Any, left: tuple[int, ...], right: tuple[int, ...]) -> float:
    """How many products make up one value of the result."""
    if name == "dot_general":
        (contracted, _), _ = parameters["dimension_numbers"]
        return int(math.prod(left[axis] for axis in contracted))
    outputs = right[parameters["dimension_numbers"].rhs_spec[0]]
    zeros = int(math.prod(parameters["lhs_dilation"]))  # between the values, if it is transposed
    return math.prod(right) / (outputs * zeros) if outputs else 0.0
