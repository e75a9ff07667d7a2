"""DINOv2 by Meta's code and by Hugging Face's transformers: small ones, filled by the rule."""

from collections.abc import Mapping
from typing import Any

import flax.traverse_util
import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.interop import opengait
from gaitjax.models.layers import dinov2

from . import tolerance
from .rule import Rule
from .tolerance import Comparison

RULES = {"meta": dinov2.META, "hugging_face": dinov2.HUGGING_FACE}


def check(
    case: Mapping[str, Any], arrays: Mapping[str, np.ndarray], rule: Rule
) -> list[Comparison]:
    """The normalised tokens of an image of each size, without registers; and the way back.

    Args:
        case: 'published' by whom, the 'options' of our network, its 'seed' and 'state_dict',
            height and width of images and 'outputs', one of each.
        arrays: the outputs.
        rule: what the checkpoint and the images follow from.

    Raises:
        UserError: if the checkpoint does not fit the network.
    """
    seed, rules = case["seed"], RULES[case["published"]]
    network = dinov2.DINOv2(**case["options"])
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, 14, 14, 3)))
    state = {key: rule.fill(seed, key, shape) for key, shape in case["state_dict"]}
    template = flax.traverse_util.flatten_dict(shapes)
    variables = opengait.read_by(rules, template, state, case["published"])
    back = opengait.write_by(rules, variables)
    same = {key: np.array_equal(back[key], x) for key, x in state.items()}
    comparisons = [tolerance.exact("ways back", key, True, found) for key, found in same.items()]
    apply = jax.jit(network.apply)
    for name, size in case["outputs"].items():
        image = 10 * rule.fill(seed, name, (3 * size[0] * size[1],)).reshape(1, *size, 3)
        _, tokens = apply(variables, image)
        kept = np.delete(tokens, np.arange(1, 1 + network.registers), 1)
        comparisons.append(
            tolerance.array("tokens", name, kept, arrays[name], tolerance.output_limit(None))
        )
    return comparisons
