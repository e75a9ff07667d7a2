"""Skeleton maps show how the limbs stand, and nothing of where the person is."""

import functools

import jax
import numpy as np
import pytest

from configs import skeletongaitpp
from gaitjax import pickles
from gaitjax.data import augment, pipeline, samplers
from gaitjax.data.skeleton_map import HIPS, skeleton_map
from gaitjax.data.transforms import complete_joints
from gaitjax.errors import UserError
from gaitjax.training import experiment


def poses(frames=3, seed=0):
    rng = np.random.default_rng(seed)
    pose = rng.uniform((40, 20, 0.5), (80, 160, 1), (frames, 17, 3))
    pose[:, HIPS, 1] = 90
    return pose.astype(np.float32)


@jax.jit
def draw(pose, sigma=8.0):
    return skeleton_map(pose, len(pose), sigma=sigma).astype(int)


def test_place_and_size_of_the_person_do_not_matter():
    pose = poses()
    moved = pose * np.float32((2, 2, 1)) + np.float32((31, -7, 0))
    assert abs(draw(pose) - draw(moved)).max() <= 1


def test_a_joint_shines_where_it_is_as_brightly_as_it_is_sure():
    pose = poses()
    pose[..., 2] = 0.25
    pose[0, 9, 2] = 1.0  # the left wrist
    pose[0, 9, :2] = (60, 20)  # the highest joint, above the middle of the hips
    pose[0, HIPS, 0] = 55, 65
    joints = np.asarray(draw(pose, sigma=2.0)[0, ..., 1])
    assert joints.max() > 200
    row, column = np.unravel_index(joints.argmax(), joints.shape)
    assert abs(column - 32) <= 1
    assert row < 8
    assert np.sort(joints[16:].ravel())[-1] <= 65


def test_limbs_join_joints():
    limbs, joints = np.moveaxis(np.asarray(draw(poses(), sigma=1.0)), -1, 0)
    assert (limbs > 60).sum() > 2 * (joints > 60).sum()


def test_nobody_is_drawn_black_and_disturbs_no_other_frame():
    pose = poses()
    alone, pose[1] = np.asarray(draw(pose)), 0
    found = np.asarray(draw(pose))
    assert not found[1].any()
    np.testing.assert_array_equal(found[[0, 2]], alone[[0, 2]])


def test_missing_joints_come_from_the_nearest_frames():
    still, other = poses(2)
    x = np.stack([still, still, other, still])
    x[0, 3, :2] = 0
    np.testing.assert_array_equal(complete_joints(x)[0], still)
    x[3] += 30  # nearer than `other`, but not the same
    x[1, 3, 0] = 0  # nobody has that joint at no distance
    away = np.delete(np.stack([x[2], x[3]]) - x[0], 3, axis=1)[..., :2]
    weights = 1 / np.sqrt((away**2).sum(axis=(1, 2)))
    expected = np.average([x[2, 3, 0], x[3, 3, 0]], weights=weights)
    np.testing.assert_allclose(complete_joints(x)[0, 3, 0], expected, rtol=1e-6)


def test_a_frame_that_shares_no_joint_takes_the_mean():
    x = poses(3)
    x[0, :, :2] = 0
    mean = x[1:, :, :2].mean(axis=0)
    np.testing.assert_allclose(complete_joints(x)[0, :, :2], mean, rtol=1e-6)


def test_a_joint_that_no_frame_has_stays_missing():
    x = poses(3)
    x[:, 4, :2] = 0
    x[1, 6, :2] = 0
    np.testing.assert_array_equal(complete_joints(x), x)


def test_other_poses_are_refused_with_the_remedy():
    with pytest.raises(UserError, match=r"have \[18, 3\].*name complete_joints"):
        skeleton_map(np.zeros((1, 18, 3), np.float32), 1)
    neck = complete_joints(np.zeros((2, 18, 3), np.float32))
    assert neck.shape == (2, 17, 3)


def test_maps_need_poses_and_come_first():
    listed = {"heatmap": ({"type": "skeleton_map"},)}
    lengths = np.ones(1, np.int32)
    with pytest.raises(UserError, match="draws poses, which are not read; name 'pose' in"):
        augment.apply({"silhouette": np.zeros((1, 1, 64, 64), np.uint8)}, lengths, listed, None)
    with pytest.raises(UserError, match=r"heatmap\[1\]: skeleton_map makes images of poses; name"):
        augment.check({"heatmap": ({"type": "flip"}, {"type": "skeleton_map"})})


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Poses of which some joints are missing, their maps prepared, and silhouettes."""
    root = tmp_path_factory.mktemp("poses")
    rng = np.random.default_rng(0)
    for row in range(8):
        folder = root / f"{row // 2:03}" / f"nm-0{row % 2}" / "000"
        folder.mkdir(parents=True)
        pose = poses(9, row)
        pose[rng.random((9, 17)) < 0.05, :2] = 0
        maps = np.asarray(draw(complete_joints(pose))).astype(np.uint8)
        pickles.write(folder / "pose.pkl", pose)
        pickles.write(folder / "heatmap.pkl", np.moveaxis(maps, -1, 1))
        pickles.write(folder / "silhouette.pkl", maps[..., 0])
    (root / "partition.json").write_text(
        '{"TRAIN_SET": ["000", "001"], "TEST_SET": ["002", "003"]}'
    )
    return root


def test_drawn_on_the_fly_they_are_those_prepared(root):
    def inputs(source):
        config = skeletongaitpp.get_config("folder")
        config.data.root = str(root)
        config.data.sampler.update(identities=2, sequences=2)
        config.data.frames.number = 6
        names = config.data.modalities
        config.data.modalities = tuple(source if name == "pose" else name for name in names)
        train = experiment.open_data(config, root).splits.train
        sampler = samplers.build(config.data.sampler, train.labels()[0], 0)
        data, transforms = config.data, config.data.transforms.to_dict()
        options = {"first_step": 0, "share": (0, 1), "threads": 1, "prefetch": 1}
        batch = next(
            pipeline.training_batches(
                train, sampler, data.frames, data.modalities, transforms, 0, **options
            )
        )
        prepare = functools.partial(augment.apply, transforms=transforms)
        return jax.jit(prepare)(batch.inputs, batch.lengths, key=jax.random.key(1))

    drawn, prepared = inputs("pose"), inputs("heatmap")
    assert drawn["heatmap"].max() > 0.5
    np.testing.assert_array_equal(drawn["heatmap"], prepared["heatmap"])
    # The silhouettes here are the maps of limbs.
    np.testing.assert_array_equal(drawn["heatmap"][..., 0], drawn["silhouette"])
