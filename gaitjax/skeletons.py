"""Skeletons of poses: how joints hang together, bend and move.

The functions take arrays of NumPy, for the host, and of JAX, for the device.
"""

from typing import Any, NamedTuple


class Skeleton(NamedTuple):
    """How the joints of a pose hang together.

    Attributes:
        parents: the joint at the other end of each joint's bone.
        opposite: the joint of the other side, or the joint itself.
        edges: pairs of neighbours in the graph of the joints.
        centre: the joint in its middle.
    """

    parents: tuple[int, ...]
    opposite: tuple[int, ...]
    edges: tuple[tuple[int, int], ...]
    centre: int


SKELETONS = {
    "coco": Skeleton(
        (5, 0, 0, 1, 2, 0, 0, 5, 6, 7, 8, 5, 6, 11, 12, 13, 14),
        (0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15),
        (
            *((0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6), (5, 6), (5, 7), (6, 8)),
            *((7, 9), (8, 10), (5, 11), (6, 12), (11, 12), (11, 13), (12, 14), (13, 15), (14, 16)),
        ),
        0,
    ),
    "openpose": Skeleton(  # the 18 joints of COCO with a neck; AlphaPose has them too
        (1, 1, 1, 2, 3, 1, 5, 6, 2, 8, 9, 5, 11, 12, 0, 0, 14, 15),
        (0, 1, 5, 6, 7, 2, 3, 4, 11, 12, 13, 8, 9, 10, 15, 14, 17, 16),
        (
            *((0, 1), (0, 14), (0, 15), (14, 16), (15, 17), (1, 2), (1, 5), (2, 3), (5, 6)),
            *((3, 4), (6, 7), (1, 8), (1, 11), (8, 9), (11, 12), (9, 10), (12, 13)),
        ),
        1,
    ),
}
# The joints of arms and legs in the order of MsGG: six of one side, then their opposites.
LIMBS = {
    "coco": (6, 8, 14, 12, 7, 13, 5, 10, 16, 11, 9, 15),
    "openpose": (2, 3, 9, 8, 6, 12, 5, 4, 10, 11, 7, 13),
}
# Of the 18 joints those of COCO, in its order.
WITHOUT_NECK = (0, 15, 14, 17, 16, 5, 2, 6, 3, 7, 4, 11, 8, 12, 9, 13, 10)


def from_opengait(joint_format: str) -> str:
    """The skeleton that OpenGait's `joint_format` names."""
    return "coco" if joint_format == "coco" else "openpose"


def bones(joints: Any, skeleton: Skeleton) -> Any:
    """From its parent to each joint of [..., V, C]."""
    return joints - joints[..., list(skeleton.parents), :]


def motion(joints: Any, lengths: Any) -> tuple[Any, Any]:
    """How far joints move to the next frame, and to the one after it; 0 in the last two frames.

    Args:
        joints: [..., T, V, C].
        lengths: frames that count: a number, or [N] where joints are [N, T, V, C].

    Returns:
        Two arrays like joints.
    """
    np = joints.__array_namespace__()
    last = np.asarray(lengths)[..., None, None, None] - 2
    inside = np.arange(joints.shape[-3])[:, None, None] < last
    to_next, to_second = (
        np.where(inside, np.roll(joints, -frames, axis=-3) - joints, 0) for frames in (1, 2)
    )
    return to_next, to_second


def streams(x: Any, lengths: Any, skeleton: Skeleton, centre: int, confidence_channel: int) -> Any:
    """Places, motion and bones of joints as three streams.

    Teepe et al., "Towards a deeper understanding of skeleton-based gait recognition" (GaitGraph2),
    CVPR Workshops 2022.

    Args:
        x: [..., T, V, 3], x, y, confidence.
        lengths: as in `motion`.
        skeleton: of the V joints.
        centre: the joint that places are taken from.
        confidence_channel: where motion and bones have the confidence. 3 is that of the authors'
            code: it writes over what their paper has there.

    Returns:
        [..., T, V, 3, 5]: joints (x, y, confidence, x and y from the centre), motion (to the next
        frame, confidence, to the one after it), bones (x, y, confidence, angles with both axes).
    """
    np = x.__array_namespace__()
    joints, confidence = x[..., :2], x[..., 2:3]
    bone, empty = bones(joints, skeleton), np.zeros_like(confidence)
    angles = np.arccos(bone / (np.linalg.norm(bone, axis=-1, keepdims=True) + 1e-4))
    to_next, to_second = motion(joints, lengths)
    first = [joints, confidence, joints - joints[..., [centre], :]]
    own = np.arange(5) == confidence_channel
    others = [
        np.where(own, confidence, np.concatenate(stream, axis=-1))
        for stream in ([to_next, empty, to_second], [bone, empty, angles])
    ]
    return np.stack([np.concatenate(first, axis=-1), *others], axis=-2)
