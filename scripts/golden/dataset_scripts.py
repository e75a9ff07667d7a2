"""What OpenGait's scripts for single datasets make of an image, a frame or a cloud of points."""

import json
from collections.abc import Callable, Mapping
from functools import partial

import cv2
import numpy as np

from gaitjax.datasets import ccgr, ccpg, openpose, readers
from gaitjax.datasets.depth_image import align, depth_image, panorama

from . import tolerance
from .tolerance import Comparison


def checks(arrays: Mapping[str, np.ndarray]) -> dict[str, Callable[[], list[Comparison]]]:
    """Script -> check, of every script that gaitjax has a counterpart of."""
    found = {
        "gps": gps,
        "ccpg": mask_of_ccpg,
        "ccgr": frame_of_ccgr,
        "pose_index": pose_index,
        "point2depth": point2depth,
    }
    return {name: partial(check, arrays) for name, check in found.items()}


def gps(arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Gait3D-Parsing: 'gps/inI_parsing1' are body parts, 'gps/inI_parsing0' masks."""
    read = {"parsing1": readers.parsing, "parsing0": readers.silhouette}
    return [
        _pixels(f"{i} {kind}", read[kind](kind, _png(arrays[f"gps/in{i}_{kind}"]), 64), expected)
        for i in (0, 1)
        for kind in read
        for expected in [arrays[f"gps/out{i}_{kind}"]]
    ]


def mask_of_ccpg(arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """CCPG: 'ccpg/inI' is a mask, 'ccpg/outI' its cut."""
    cuts = [ccpg.silhouette(str(i), _png(arrays[f"ccpg/in{i}"]), 64)[0] for i in (0, 1)]
    return [_pixels(str(i), ours, arrays[f"ccpg/out{i}"]) for i, ours in enumerate(cuts)]


def frame_of_ccgr(arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """CCGR-Mini: 'ccgr/in' is a frame with margins, 'ccgr/hw' the size of what is within."""
    person = ccgr.unpadded(arrays["ccgr/in"])
    stretched = cv2.resize(person, ccgr.BOX, interpolation=cv2.INTER_AREA)
    return [
        tolerance.exact("size", "", person.shape[:2], tuple(arrays["ccgr/hw"].tolist())),
        _pixels("", stretched, arrays["ccgr/out"]),
    ]


def pose_index(arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """OUMVLP-Pose: 'scores' of the 'poses' of several people in a 'silhouette'."""
    names = ("silhouette", "poses", "scores")
    silhouette, people, scores = (arrays[f"pose_index/{name}"] for name in names)
    listed = [{"pose_keypoints_2d": person.ravel().tolist()} for person in people]
    content = json.dumps({"people": listed}).encode()
    chosen = openpose.read("", content, 64, _png(silhouette))
    return [
        tolerance.exact(
            "scores", "", openpose.coverage(people, silhouette).tolist(), scores.tolist()
        ),
        tolerance.array("chosen", "", chosen[0], people[scores.argmax()], 0.0),
    ]


def point2depth(arrays: Mapping[str, np.ndarray]) -> list[Comparison]:
    """SUSTech1K: 'points' in metres, what was drawn of them, and that aligned; blue first."""
    points = arrays["point2depth/points"]
    top, bottom, left, right, *_ = arrays["point2depth/raw_box"].tolist()
    drawn = panorama(points)[top : bottom + 1, left : right + 1, ::-1]
    cut = depth_image(points)[..., ::-1]
    aligned = align(arrays["point2depth/align_in"], 64)
    return [
        _pixels("drawn", drawn, arrays["point2depth/raw_crop"]),
        _pixels("drawn, cut", cut, arrays["point2depth/aligned"]),
        _pixels("aligned", aligned, arrays["point2depth/align_out"]),
    ]


def _pixels(where: str, ours: np.ndarray, theirs: np.ndarray) -> Comparison:
    return tolerance.array("pixels", where, ours, theirs, 0.0)


def _png(image: np.ndarray) -> bytes:
    return bytes(cv2.imencode(".png", image)[1])
