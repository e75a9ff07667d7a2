"""What covers the skeleton: ellipsoids around joints, and parts as convex hulls of ellipsoids."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from gaitjax.datasets.synthetic.draws import Traits
from gaitjax.datasets.synthetic.gait import Array, Skeleton

Triple = tuple[float, float, float]

SIDES = ("left", "right")
FOOT = 0.028  # metres, half the height of a shoe


class Blob(NamedTuple):
    """An ellipsoid that moves with the skeleton.

    Attributes:
        point: the joint that it lies at.
        frame: the bone that it turns with.
        radii: forward, to the left and up, metres.
        offset: of its centre from the joint, in the same directions, metres.
    """

    point: str
    frame: str
    radii: Triple
    offset: Triple = (0.0, 0.0, 0.0)


class Flesh(NamedTuple):
    """A clothed body at rest.

    Attributes:
        blobs: name -> ellipsoid.
        parts: names of the ellipsoids whose common convex hull a part is.
    """

    blobs: dict[str, Blob]
    parts: tuple[tuple[str, ...], ...]


class Solid(NamedTuple):
    """Ellipsoids in the world: centre + axes @ u for all |u| <= 1.

    Attributes:
        centres: [T, E, 3], metres.
        axes: [T, E, 3, 3].
        parts: [P, Q], the ellipsoids of each part, the last one repeated.
    """

    centres: Array
    axes: Array
    parts: np.ndarray[tuple[int, int], np.dtype[np.int64]]


def _trunk(body: Traits) -> dict[str, Blob]:
    trunk, depth = body["trunk"], body["chest_depth"]
    return {
        "head": Blob("head", "head", (body["head_depth"], body["head_width"], body["head_height"])),
        "hair": Blob(
            "head",
            "head",
            (body["head_depth"], body["head_width"] + body["hair"] / 3, body["head_height"]),
            (-body["hair"] / 2, 0, -body["hair"]),
        ),
        "neck": Blob("neck", "chest", (body["neck_girth"],) * 3, (0, 0, 0.1 * trunk)),
        "throat": Blob("head", "head", (body["neck_girth"],) * 3, (-0.01, 0, -0.05)),
        "chest": Blob(
            "neck", "chest", (depth, body["chest_width"], 0.28 * trunk), (0, 0, -0.28 * trunk)
        ),
        "waist": Blob(
            "pelvis",
            "chest",
            (body["waist_depth"], body["waist_width"], 0.2 * trunk),
            (0.15 * body["waist_depth"], 0, 0.36 * trunk),
        ),
        "pelvis": Blob(
            "pelvis",
            "pelvis",
            (body["pelvis_depth"], body["pelvis_width"], 0.22 * trunk),
            (-0.1 * body["pelvis_depth"], 0, 0.06 * trunk),
        ),
    }


def _limbs(body: Traits, side: str) -> dict[str, Blob]:
    def ball(point: str, frame: str, girth: float, offset: Triple = (0, 0, 0)) -> Blob:
        return Blob(f"{side}_{point}", f"{side}_{frame}", (girth, girth, girth), offset)

    calf = body["calf_girth"]
    blobs = {
        "shoulder": ball("shoulder", "arm", body["shoulder_girth"]),
        "elbow": ball("elbow", "arm", body["elbow_girth"]),
        "wrist": ball("wrist", "forearm", body["wrist_girth"]),
        "hand": ball("hand", "forearm", 0.018, (0, 0, 0.02)),
        "hip": ball("hip", "thigh", body["thigh_girth"], (0, 0, -0.1 * body["thigh"])),
        "knee": ball("knee", "shank", body["knee_girth"]),
        "calf": ball("knee", "shank", calf, (-0.25 * calf, 0, -0.35 * body["shank"])),
        "ankle": ball("ankle", "shank", body["ankle_girth"]),
        "heel": Blob(f"{side}_heel", f"{side}_foot", (0.04, 0.035, FOOT), (0.035, 0, FOOT)),
        "toe": Blob(
            f"{side}_toe", f"{side}_foot", (0.05, 0.042, 0.8 * FOOT), (-0.05, 0, 0.8 * FOOT)
        ),
    }
    return {f"{side}_{name}": blob for name, blob in blobs.items()}


def _parts() -> tuple[tuple[str, ...], ...]:
    trunk = [("head", "hair"), ("throat", "neck"), ("chest", "waist"), ("waist", "pelvis")]
    girdles = [
        ("chest", "neck", "left_shoulder", "right_shoulder"),
        ("pelvis", "left_hip", "right_hip"),
    ]
    chains = ("shoulder elbow", "elbow wrist", "wrist hand", "hip knee", "knee calf", "calf ankle",
              "ankle heel", "heel toe", "ankle toe")  # fmt: skip
    limbs = [tuple(f"{s}_{name}" for name in chain.split()) for s in SIDES for chain in chains]
    return tuple(trunk + girdles + limbs)


def undressed(body: Traits) -> Flesh:
    """The flesh of a body in what it always wears.

    Args:
        body: from `draw_body`.
    """
    return Flesh(_trunk(body) | _limbs(body, "left") | _limbs(body, "right"), _parts())


def pose(flesh: Flesh, skeleton: Skeleton) -> Solid:
    """The flesh where the skeleton has carried it."""
    blobs: Sequence[Blob] = list(flesh.blobs.values())
    frames = np.stack([skeleton.frames[blob.frame] for blob in blobs], axis=1)
    points = np.stack([skeleton.points[blob.point] for blob in blobs], axis=1)
    offsets = np.array([blob.offset for blob in blobs])
    radii = np.array([blob.radii for blob in blobs])
    centres = points + np.einsum("teij,ej->tei", frames, offsets)
    return Solid(centres, frames * radii[:, None, :], _indices(flesh.parts, flesh.blobs))


def _indices(
    parts: Sequence[Sequence[str]], blobs: Mapping[str, Blob]
) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    number = {name: index for index, name in enumerate(blobs)}
    most = max(map(len, parts))
    rows = [[number[name] for name in part] for part in parts]
    return np.array([row + row[-1:] * (most - len(row)) for row in rows])
