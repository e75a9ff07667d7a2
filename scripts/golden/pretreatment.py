"""Pretreatment: from a mask to the common cut, from poses to skeleton maps."""

import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np

from gaitjax.data import skeleton_map, transforms
from gaitjax.datasets.ccpg_rgb import padded
from gaitjax.datasets.normalise import normalise

from . import tolerance
from .errors import UnsupportedError
from .tolerance import Comparison


def checks(
    table: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> dict[str, Callable[[], list[Comparison]]]:
    """'IMAGE_SIZE' -> check, of every entry of a table; one check where gaitjax lacks `func`."""
    if table["func"] == "datasets/pretreatment_rgb.py resize_with_padding":
        return {
            str(i): functools.partial(check_rgb, i, case["target"], arrays)
            for i, case in enumerate(table["cases"])
        }
    if table["func"] == "datasets/pretreatment_heatmap.py GenerateHeatmapTransform":
        return {case["name"]: functools.partial(check_map, case, arrays) for case in table["cases"]}
    if table["func"] != "datasets/pretreatment.py imgs2pickle":
        return {"": functools.partial(_unknown, table["func"])}
    return {
        f"{case['image']}_{case['img_size']}": functools.partial(check, case, arrays)
        for case in table["cases"]
    }


def check(case: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """One image: the same to the pixel, or left out by both.

    Args:
        case: 'image', 'img_size', and 'out', None where OpenGait leaves the image out.
        arrays: 'in/IMAGE' [h, w] and 'outSIZE/IMAGE' [1, SIZE, SIZE].
    """
    image, size = case["image"], case["img_size"]
    ours = normalise(arrays[f"in/{image}"], size)
    if ours is None or case["out"] is None:
        return [tolerance.exact("left out", "", ours is None, case["out"] is None)]
    return [tolerance.array("pixels", "", ours, arrays[f"out{size}/{image}"][0], 0.0)]


def check_rgb(
    i: int, target: tuple[int, int], arrays: Mapping[str, np.ndarray]
) -> list[Comparison]:
    """One image in colour, 'in/I' [h, w, 3], padded to `target`, height and width: 'out/I'."""
    return [
        tolerance.array("pixels", "", padded(arrays[f"in/{i}"], *target), arrays[f"out/{i}"], 0)
    ]


def check_map(case: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """The skeleton maps of a sequence: the same to the pixel.

    Args:
        case: 'name', and 'cfg', whose heat maps have a 'sigma'.
        arrays: 'NAME/poses' [T, V, 3], 'NAME/normalised' [T, 17, 3] and 'NAME/maps' [T, 2, H, W].
    """
    name, sigma = case["name"], case["cfg"]["heatmap_generator_args"]["sigma"]
    poses = transforms.complete_joints(arrays[f"{name}/poses"]).astype(np.float32)
    places, theirs = skeleton_map.centred(poses[..., :2]), arrays[f"{name}/normalised"]
    draw = jax.jit(functools.partial(skeleton_map.skeleton_map, sigma=sigma))
    maps = np.moveaxis(draw(poses, len(poses)), -1, 1)
    return [
        tolerance.array("joints", "", places, theirs[..., :2], 1e-6),
        tolerance.exact("confidence", "", poses[..., 2].tolist(), theirs[..., 2].tolist()),
        tolerance.array("pixels", "", maps, arrays[f"{name}/maps"], 0),
    ]


def _unknown(func: str) -> list[Comparison]:
    raise UnsupportedError(f"pretreatment {func}")
