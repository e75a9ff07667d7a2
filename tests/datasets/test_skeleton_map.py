"""Skeleton maps show how the limbs stand, and nothing of where the person is."""

import numpy as np

from gaitjax.datasets.skeleton_map import HIPS, skeleton_map


def poses(frames=3):
    rng = np.random.default_rng(0)
    pose = rng.uniform((40, 20, 0.5), (80, 160, 1), (frames, 17, 3))
    pose[:, HIPS, 1] = 90
    return pose


def test_place_and_size_of_the_person_do_not_matter():
    pose = poses()
    moved = pose * (2, 2, 1) + (31, -7, 0)
    difference = skeleton_map(pose).astype(int) - skeleton_map(moved)
    assert abs(difference).max() <= 1


def test_a_joint_shines_where_it_is_as_brightly_as_it_is_sure():
    pose = poses(1)
    pose[..., 2] = 0.25
    pose[0, 9, 2] = 1.0  # the left wrist
    pose[0, 9, :2] = (60, 20)  # the highest joint, above the middle of the hips
    pose[0, HIPS, 0] = 55, 65
    joints = skeleton_map(pose, sigma=2)[0, ..., 1]
    assert joints.max() > 200
    row, column = np.unravel_index(joints.argmax(), joints.shape)
    assert abs(column - 32) <= 1
    assert row < 8
    assert np.sort(joints[16:].ravel())[-1] <= 65


def test_limbs_join_joints():
    limbs, joints = np.moveaxis(skeleton_map(poses(), sigma=1).astype(int), -1, 0)
    assert (limbs > 60).sum() > 2 * (joints > 60).sum()
