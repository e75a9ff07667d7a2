"""Transforms on the host, in NumPy: streams of poses, clouds of points, windows of frames.

Those of WHOLE see all frames of a sequence and keep their number, the others those that were
chosen of it. FIXED and SAMPLED ones act in evaluation too, RANDOM ones in training only. What the
device does to images is in `augment`.
"""

import collections
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gaitjax import skeletons
from gaitjax.errors import UserError
from gaitjax.skeletons import LIMBS, SKELETONS, WITHOUT_NECK, Skeleton

Transforms = Mapping[str, Sequence[Mapping[str, Any]]]


def acts(transforms: Transforms) -> bool:
    """Whether any of `config.data.transforms` is one of the host."""
    return any(t["type"] in HOST for listed in transforms.values() for t in listed)


def of_sequence(inputs: Mapping[str, np.ndarray], transforms: Transforms) -> dict[str, np.ndarray]:
    """What is computed from all frames of a sequence, before some are chosen.

    Args:
        inputs: modality -> [T, ...].
        transforms: `config.data.transforms`; of each modality, those of WHOLE.

    Returns:
        modality -> [T, ...]; what has no such transforms as it is.

    Raises:
        UserError: for frames that a transform cannot take.
    """
    return {
        modality: _run([t for t in transforms.get(modality, ()) if t["type"] in WHOLE], x, None)
        for modality, x in inputs.items()
    }


def of_frames(
    inputs: Mapping[str, np.ndarray], transforms: Transforms, key: tuple[int, ...] | None
) -> dict[str, np.ndarray]:
    """What is computed from the frames that were chosen of a sequence.

    Draws depend on the key, the transform and how many of its type came before it in the list:
    modalities that have it alike stay aligned. Without a key they are the same for all sequences,
    and those of a frame do not depend on how many follow.

    Args:
        inputs: modality -> [T, ...].
        transforms: `config.data.transforms`; of each modality, those of this module but WHOLE.
        key: of this place in this batch; None skips RANDOM ones, as evaluation does.

    Returns:
        modality -> [T or fewer, ...]; floats are float32.

    Raises:
        UserError: for frames that a transform cannot take, and if it leaves the modalities
            different numbers of frames.
    """
    kinds = FIXED | SAMPLED | (RANDOM if key else {})
    result = {
        modality: _run([t for t in transforms.get(modality, ()) if t["type"] in kinds], x, key)
        for modality, x in inputs.items()
    }
    lengths = {modality: len(x) for modality, x in result.items()}
    if len(set(lengths.values())) > 1:
        left = ", ".join(f"{length} frames of {m}" for m, length in lengths.items())
        raise UserError(f"config.data.transforms leaves {left}; name the same windows for all")
    return result


def in_evaluation(
    inputs: Mapping[str, np.ndarray], transforms: Transforms, limit: int
) -> dict[str, np.ndarray]:
    """A sequence as evaluation sends it to the device: `of_sequence`, then `of_frames`.

    Args:
        inputs: modality -> [T, ...], perhaps read-only and read when they are used.
        transforms: `config.data.transforms`.
        limit: frames past it are dropped.

    Raises:
        UserError: as the two do.
    """
    whole = of_sequence(inputs, transforms)
    return of_frames({m: x[:limit].copy() for m, x in whole.items()}, transforms, None)


def longest(transforms: Transforms, modalities: Sequence[str], frames: int) -> int:
    """How many frames the transforms leave, at most, of so many."""
    windows = [
        int(t["number"])
        for modality in modalities
        for t in transforms.get(modality, ())
        if t["type"] in WINDOWS
    ]
    return min([frames, *windows])


def centre_window(x: np.ndarray, *, number: int) -> np.ndarray:
    """The `number` frames in the middle of [T, ...]; all where there are no more."""
    start = max(len(x) - number, 0) // 2
    return x[start : start + number]


def random_window(rng: np.random.Generator, x: np.ndarray, *, number: int) -> np.ndarray:
    """Consecutive frames of [T, ...]; all where there are no more than `number`."""
    # OpenGait never draws the last window, and breaks where it is the only one.
    start = rng.integers(0, max(len(x) - number, 0) + 1)
    return x[start : start + number]


def reverse(rng: np.random.Generator, x: np.ndarray, *, probability: float = 0.5) -> np.ndarray:
    """Lets the time of [T, ...] run backwards."""
    return x[::-1] if rng.random() < probability else x


def fill_missing(x: np.ndarray, *, count_missing: bool = False) -> np.ndarray:
    """Puts joints that were not found, whose x is 0, in the middle of the others.

    Args:
        x: [T, V, 3], x, y, confidence.
        count_missing: True: the middle is of all joints, those not found at 0 and those filled
            before among them, as in OpenGait.

    Returns:
        [T, V, 3]; the confidence of such joints is 0.
    """
    missing = x[..., 0] == 0
    filled = x.copy()
    if count_missing:
        for joint in range(x.shape[1]):
            frames = missing[:, joint]
            filled[frames, joint] = filled[frames].mean(axis=1)
            filled[frames, joint, 2] = 0
        return filled
    found = np.maximum((~missing).sum(axis=1, keepdims=True), 1)
    middle = np.where(missing[..., None], 0, x).sum(axis=1) / found
    filled[missing] = np.broadcast_to(middle[:, None], x.shape)[missing]
    filled[missing, 2] = 0
    return filled


def complete_joints(x: np.ndarray, *, neighbours: int = 4) -> np.ndarray:
    """Takes joints that were not found, whose x or y is 0, from the most similar other frames.

    k-nearest-neighbour imputation (Troyanskaya et al., "Missing value estimation methods for DNA
    microarrays", Bioinformatics 2001), weighted by 1 / distance, over what both frames have.

    Args:
        x: [T, 17, 3] or [T, 18, 3]; x, y, confidence.
        neighbours: how many frames, at most.

    Returns:
        [T, 17, 3], COCO's joints: of 18, those without the neck. As they are where a joint is
        missing in all frames.
    """
    x = x[:, list(WITHOUT_NECK)] if x.shape[1] == 18 else x
    places = x[..., :2].reshape(len(x), -1).astype(np.float64)
    found = places != 0
    if not found.any(axis=0).all():  # OpenGait then completes no other joint either
        return x
    completed = places.copy()
    for frame in np.flatnonzero(~found.all(axis=1)).tolist():
        missing = np.flatnonzero(~found[frame])
        completed[frame, missing] = _from_similar(places, found, frame, missing, neighbours)
    return np.concatenate([completed.reshape(*x.shape[:2], 2), x[..., 2:]], axis=-1)


def choose_joints(x: np.ndarray, *, joints: Sequence[int] = LIMBS["coco"]) -> np.ndarray:
    """Some joints of [T, V, C], in this order; by default COCO's arms and legs as MsGG has them.

    Raises:
        UserError: if there are no such joints.
    """
    if not 0 <= min(joints) <= max(joints) < x.shape[1]:
        raise UserError(
            f"transform choose_joints: there are {x.shape[1]} joints; expected {max(joints) + 1} "
            "or more: name others as `joints`"
        )
    return x[:, list(joints)]


def pose_channels(x: np.ndarray, *, skeleton: str = "coco") -> np.ndarray:
    """Places, motion and bones of joints as ten channels.

    Zhang et al., "Spatial transformer network on skeleton-based gait recognition" (GaitTR), Expert
    Systems 2023.

    Args:
        x: [T, V, 2 or more], x, y.
        skeleton: 'coco' or 'openpose'.

    Returns:
        [T, V, 10]: x, y; the same from the first joint on; how far both move to the next frame, and
        to the one after it; the bone.

    Raises:
        UserError: if the skeleton has other joints.
    """
    joints = x[..., :2]
    motion = skeletons.motion(joints, len(x))
    bones = skeletons.bones(joints, _skeleton(skeleton, x.shape[1]))
    return np.concatenate([joints, joints - joints[:, :1], *motion, bones], axis=-1)


def pose_streams(
    x: np.ndarray, *, skeleton: str = "coco", centre: int = 0, confidence_channel: int = 2
) -> np.ndarray:
    """`skeletons.streams` of a sequence: [T, V, 3] -> [T, V, 3, 5].

    Args:
        x: [T, V, 3], x, y, confidence.
        skeleton: 'coco' or 'openpose'.
        centre: the joint that places are taken from.
        confidence_channel: where motion and bones have the confidence; 3: as GaitGraph2's code.

    Raises:
        UserError: if the skeleton has other joints.
    """
    named = _skeleton(skeleton, x.shape[1])
    result: np.ndarray = skeletons.streams(
        x.astype(np.float64), len(x), named, centre, confidence_channel
    )
    return result


def mirror(rng: np.random.Generator, x: np.ndarray, *, probability: float = 0.5) -> np.ndarray:
    """Mirrors the x of [T, V, C] at the middle of the joints, in each frame; sides stay."""
    if rng.random() >= probability:
        return x
    horizontal = x[..., :1]
    return _added(x, 2 * (horizontal.mean(axis=1, keepdims=True) - horizontal))


def swap_sides(
    rng: np.random.Generator,
    x: np.ndarray,
    *,
    skeleton: str = "coco",
    probability: float = 0.5,
    per_frame: bool = False,
) -> np.ndarray:
    """Takes the left joints of [T, V, C] for the right ones, and these for the left.

    Args:
        rng: where the draws come from.
        x: [T, V, C].
        skeleton: 'coco' or 'openpose'.
        probability: that it does.
        per_frame: True: decides for each frame by itself, as OpenGait does.

    Raises:
        UserError: if the skeleton has other joints.
    """
    swapped = x[:, list(_skeleton(skeleton, x.shape[1]).opposite)]
    acts = rng.random(len(x) if per_frame else 1) < probability
    return np.where(acts[:, None, None], swapped, x)


def move(
    rng: np.random.Generator, x: np.ndarray, *, reach: tuple[float, float] = (4.0, 1.0)
) -> np.ndarray:
    """Moves all of [T, V, C] by up to `reach` along x and along y."""
    return _added(x, rng.uniform(-np.array(reach), np.array(reach)))


def joint_noise(rng: np.random.Generator, x: np.ndarray, *, std: float = 0.25) -> np.ndarray:
    """Moves the joints of [T, V, C] at random, each alike in all frames."""
    return _added(x, rng.normal(0, std, (x.shape[1], 2)))


def point_noise(
    rng: np.random.Generator, x: np.ndarray, *, std: float = 0.01, confidence: bool = False
) -> np.ndarray:
    """Moves every joint of every frame of [T, V, 3] at random.

    Args:
        rng: where the draws come from.
        x: [T, V, 3].
        std: standard deviation.
        confidence: True: adds to the confidence too, as OpenGait does.
    """
    return _added(x, rng.normal(0, std, (*x.shape[:2], 3 if confidence else 2)))


def sample_points(rng: np.random.Generator, x: np.ndarray, *, number: int) -> np.ndarray:
    """Draws as many points of every frame, with replacement.

    Args:
        rng: where the draws come from.
        x: [T, P, C], NaN where a frame has no more points.
        number: of points.

    Returns:
        [T, number, C].

    Raises:
        UserError: if a frame has no point.
    """
    points = np.isfinite(x).all(axis=-1)
    if not points.any(axis=1).all():
        raise UserError("transform sample_points: a frame has no points; leave it out")
    first = np.argsort(~points, axis=1, kind="stable")
    # From one frame to the next, so that a frame's draws do not depend on those behind it.
    drawn = rng.integers(0, points.sum(axis=1)[:, None], (len(x), number))
    return np.take_along_axis(x, np.take_along_axis(first, drawn, axis=1)[..., None], axis=1)


def normalise_points(x: np.ndarray, *, heights: bool = False) -> np.ndarray:
    """Brings the points of every frame into the unit ball, their mean at its centre.

    Args:
        x: [T, P, C].
        heights: True: appends how far a point is above the lowest one, in the unit of x.
            Augmentations leave these as they are.

    Returns:
        [T, P, C] or [T, P, C + 1].
    """
    centred = x - x.mean(axis=1, keepdims=True)
    radius = np.linalg.norm(centred, axis=-1).max(axis=1)[:, None, None]
    points: np.ndarray = centred / np.where(radius > 0, radius, 1)
    z = x[..., 2:3]
    return np.concatenate([points, z - z.min(axis=1, keepdims=True)], -1) if heights else points


def flip_points(rng: np.random.Generator, x: np.ndarray, *, probability: float = 0.5) -> np.ndarray:
    """Changes the sign of the y of [T, P, 3 or more]."""
    sign = np.array([1, -1, 1], x.dtype)
    return _multiplied(x, sign) if rng.random() < probability else x


def shift_points(
    rng: np.random.Generator,
    x: np.ndarray,
    *,
    reach: float = 0.1,
    probability: float = 0.5,
    per_point: bool = False,
) -> np.ndarray:
    """Moves the clouds of [T, P, 3 or more] by up to `reach` along each axis.

    Args:
        rng: where the draws come from.
        x: [T, P, 3 or more].
        reach: in the unit of x.
        probability: that it does.
        per_point: True: every point by itself, as OpenGait does; False: every frame.
    """
    if rng.random() >= probability:
        return x
    return _added(x, rng.uniform(-reach, reach, (len(x), x.shape[1] if per_point else 1, 3)))


def jitter_points(
    rng: np.random.Generator,
    x: np.ndarray,
    *,
    std: float = 0.01,
    clip: float = 0.05,
    probability: float = 0.5,
) -> np.ndarray:
    """Adds noise to every point of [T, P, 3 or more], of this deviation and no more than `clip`."""
    if rng.random() >= probability:
        return x
    return _added(x, np.clip(rng.normal(0, std, (*x.shape[:2], 3)), -clip, clip))


def scale_points(
    rng: np.random.Generator,
    x: np.ndarray,
    *,
    factors: tuple[float, float] = (0.8, 1.25),
    probability: float = 0.5,
) -> np.ndarray:
    """Multiplies the points of every frame of [T, P, 3 or more], smallest to largest factor."""
    if rng.random() >= probability:
        return x
    return _multiplied(x, rng.uniform(*factors, (len(x), 1, 1)))


def drop_points(
    rng: np.random.Generator,
    x: np.ndarray,
    *,
    largest: float = 0.875,
    probability: float = 0.5,
) -> np.ndarray:
    """Puts points of [T, P, 3 or more] where the frame's first one is, in every frame some share.

    Args:
        rng: where the draws come from.
        x: [T, P, 3 or more].
        largest: share of the points; from 0 to it.
        probability: that it does.
    """
    if rng.random() >= probability:
        return x
    share = largest * rng.random((len(x), 1))
    dropped = rng.random(x.shape[:2]) <= share
    points = np.where(dropped[..., None], x[:, :1, :3], x[..., :3])
    return np.concatenate([points, x[..., 3:]], axis=-1)


def _functions(*functions: Callable[..., np.ndarray]) -> dict[str, Callable[..., np.ndarray]]:
    return {function.__name__: function for function in functions}


WHOLE: dict[str, Callable[..., np.ndarray]] = _functions(complete_joints)
FIXED = _functions(
    centre_window, fill_missing, choose_joints, pose_channels, pose_streams, normalise_points
)
SAMPLED = _functions(sample_points)
RANDOM = _functions(
    random_window,
    reverse,
    mirror,
    swap_sides,
    move,
    joint_noise,
    point_noise,
    flip_points,
    shift_points,
    jitter_points,
    scale_points,
    drop_points,
)
HOST = WHOLE | FIXED | SAMPLED | RANDOM
WINDOWS = ("centre_window", "random_window")


def _run(
    listed: Sequence[Mapping[str, Any]], x: np.ndarray, key: tuple[int, ...] | None
) -> np.ndarray:
    """Transforms of one modality, in their order."""
    seen: collections.Counter[str] = collections.Counter()
    for transform in listed:
        options = dict(transform)
        name = options.pop("type")
        seen[name] += 1
        if name in SAMPLED or name in RANDOM:
            entropy = (*(key or (0,)), zlib.crc32(name.encode()), seen[name])
            x = HOST[name](np.random.default_rng(entropy), x, **options)
        else:
            x = HOST[name](x, **options)
    return x.astype(np.float32) if x.dtype == np.float64 else x


def _from_similar(
    places: np.ndarray, found: np.ndarray, frame: int, missing: np.ndarray, neighbours: int
) -> np.ndarray:
    """What a frame lacks, from the frames most similar to it.

    Args:
        places: [T, D] in all frames; `found` alike, which of them count.
        found: bool [T, D].
        frame: the frame.
        missing: [M], the columns that it lacks.
        neighbours: how many frames.
    """
    shared = found & found[frame]
    square = np.where(shared, places - places[frame], 0) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        # Of all columns, if those that only one of both has were as far apart as the others.
        distance = np.sqrt(square.sum(axis=1) * places.shape[1] / shared.sum(axis=1))
        distance = np.where(
            found[:, missing] & ~np.isnan(distance)[:, None], distance[:, None], np.inf
        )
        nearest = np.argsort(distance, axis=0, kind="stable")[:neighbours]
        distance = np.take_along_axis(distance, nearest, axis=0)
        same = distance == 0
        weights = np.where(same.any(axis=0), same, 1 / distance)
        mean = (weights * places[nearest, missing]).sum(axis=0) / weights.sum(axis=0)
    overall = places[:, missing].sum(axis=0) / found[:, missing].sum(axis=0)
    completed: np.ndarray = np.where(np.isnan(mean), overall, mean)
    return completed


def _skeleton(name: str, joints: int) -> Skeleton:
    if name not in SKELETONS:
        raise UserError(f"transforms know no skeleton {name!r}; expected {' or '.join(SKELETONS)}")
    skeleton = SKELETONS[name]
    if len(skeleton.parents) != joints:
        raise UserError(
            f"there are {joints} joints; the skeleton {name} of config.data.transforms has "
            f"{len(skeleton.parents)}: name another skeleton"
        )
    return skeleton


def _added(x: np.ndarray, change: np.ndarray) -> np.ndarray:
    """The sum, in the first channels of x: as many as the change has."""
    channels = change.shape[-1]
    return np.concatenate([x[..., :channels] + change, x[..., channels:]], axis=-1)


def _multiplied(x: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """The product, in the first three channels of x."""
    return np.concatenate([x[..., :3] * factor, x[..., 3:]], axis=-1)
