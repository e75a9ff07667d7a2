"""Transforms on the host: what they promise, and where they act."""

import numpy as np
import pytest

from gaitjax.data import augment, transforms
from gaitjax.data.transforms import in_evaluation, of_frames, of_sequence
from gaitjax.errors import UserError

POSES = np.random.default_rng(0).normal(100, 30, (9, 17, 3)).astype(np.float32)
CLOUDS = np.random.default_rng(1).normal(0, 1, (5, 40, 3)).astype(np.float32)
RANDOM = [
    (POSES, {"type": "reverse", "probability": 1.0}),
    (POSES, {"type": "mirror", "probability": 1.0}),
    (POSES, {"type": "swap_sides", "probability": 1.0}),
    (POSES, {"type": "move"}),
    (POSES, {"type": "joint_noise"}),
    (POSES, {"type": "point_noise"}),
    (POSES, {"type": "random_window", "number": 4}),
    (CLOUDS, {"type": "flip_points", "probability": 1.0}),
    (CLOUDS, {"type": "shift_points", "probability": 1.0}),
    (CLOUDS, {"type": "jitter_points", "probability": 1.0}),
    (CLOUDS, {"type": "scale_points", "probability": 1.0}),
    (CLOUDS, {"type": "drop_points", "probability": 1.0}),
]


def act(x, *listed, key=(0, 1, 2)):
    return of_frames({"x": x}, {"x": listed}, key)["x"]


@pytest.mark.parametrize(("x", "transform"), RANDOM)
def test_random_ones_act_in_training_only_and_leave_their_input_alone(x, transform):
    before = x.copy()
    drawn = [act(x, transform, key=(0, step, 1)) for step in range(4)]
    np.testing.assert_array_equal(x, before)
    assert {y.dtype for y in drawn} == {np.dtype(np.float32)}
    assert all(y.shape != x.shape or (y != x).any() for y in drawn)
    np.testing.assert_array_equal(act(x, transform, key=(0, 3, 1)), drawn[3])
    np.testing.assert_array_equal(act(x, transform, key=None), x)


@pytest.mark.parametrize(("x", "transform"), [r for r in RANDOM if "probability" in r[1]])
def test_a_probability_is_that_of_acting(x, transform):
    acts = [
        (act(x, {**transform, "probability": 0.3}, key=(step,)) != x).any() for step in range(300)
    ]
    assert 55 < sum(acts) < 125  # 90 expected; 4.4 deviations


def test_modalities_with_the_same_windows_stay_aligned():
    window = {"type": "random_window", "number": 3}
    backwards = {"type": "reverse", "probability": 1.0}
    listed = {"pose": ({"type": "fill_missing"}, window, backwards), "index": (window, backwards)}
    inputs = {"pose": POSES, "index": np.arange(len(POSES))}
    for step in range(20):
        found = of_frames(inputs, listed, (step,))
        np.testing.assert_array_equal(found["pose"], POSES[found["index"]])
    with pytest.raises(UserError, match="leaves 3 frames of pose, 9 frames of index"):
        of_frames(inputs, {"pose": (window,)}, (0,))


def test_windows_are_drawn_up_to_the_last_and_stay_inside():
    window = {"type": "random_window", "number": 4}
    starts = {int(act(np.arange(9), window, key=(step,))[0]) for step in range(100)}
    assert starts == set(range(6))
    for number, middle in ((4, [2, 3, 4, 5]), (9, range(9)), (12, range(9))):
        found = transforms.centre_window(np.arange(9), number=number)
        np.testing.assert_array_equal(found, middle)
    whole = act(np.arange(3), window)
    np.testing.assert_array_equal(whole, [0, 1, 2])
    listed = {"pose": (window, {"type": "centre_window", "number": 3}), "x": ()}
    assert transforms.longest(listed, ("pose", "x"), 30) == 3
    assert transforms.longest(listed, ("x",), 30) == 30


def test_missing_joints_are_put_amid_those_that_were_found():
    x = POSES.copy()
    x[2, [3, 5]] = 0
    x[4] = 0
    filled = transforms.fill_missing(x)
    found = np.delete(POSES[2], [3, 5], axis=0)
    np.testing.assert_allclose(filled[2, [3, 5], :2], [found[:, :2].mean(axis=0)] * 2, rtol=1e-5)
    assert (filled[2, [3, 5], 2] == 0).all()
    assert (filled[4] == 0).all()
    others = [0, 1, 3, 5, 6, 7, 8]
    np.testing.assert_array_equal(filled[others], POSES[others])


@pytest.mark.parametrize("skeleton", transforms.SKELETONS)
def test_skeletons_are_symmetric(skeleton):
    known = transforms.SKELETONS[skeleton]
    parents, opposite, edges = map(np.array, (known.parents, known.opposite, known.edges))
    assert set(map(frozenset, opposite[edges].tolist())) == set(map(frozenset, edges.tolist()))
    assert opposite[known.centre] == known.centre
    np.testing.assert_array_equal(opposite[opposite], np.arange(len(opposite)))
    limbs = np.array(transforms.LIMBS[skeleton])
    np.testing.assert_array_equal(np.sort(opposite[limbs]), np.sort(limbs))
    knees_and_wrists = [i for i in limbs if opposite[parents[i]] == parents[opposite[i]]]
    assert len(knees_and_wrists) >= 8  # a limb hangs on the limb above it, on its own side


def test_motion_and_bones_by_hand():
    x = np.zeros((4, 17, 3), np.float32)
    x[:, 7, 0] = [0, 1, 3, 6]  # the left elbow moves, ever faster, below the shoulder
    x[..., 2] = 0.5
    found = transforms.pose_streams(x)
    assert found.shape == (4, 17, 3, 5)
    places, motion, bones = found[:, 7].swapaxes(0, 1)
    np.testing.assert_allclose(places[:, [0, 2, 3]], [[t, 0.5, t] for t in (0, 1, 3, 6)])
    np.testing.assert_allclose(motion[:, 0], [1, 2, 0, 0])
    np.testing.assert_allclose(motion[:, 3], [3, 5, 0, 0])
    np.testing.assert_allclose(bones[:, 0], [0, 1, 3, 6])
    np.testing.assert_allclose(bones[1:, 3:], [[0, np.pi / 2]] * 3, atol=0.02)
    assert (found[..., 2] == 0.5).all()
    channels = transforms.pose_channels(x)
    assert channels.shape == (4, 17, 10)
    np.testing.assert_allclose(
        channels[:, 7, ::2].T, found[:, 7][:, [0, 0, 1, 1, 2], [0, 3, 0, 3, 0]].T
    )


@pytest.mark.parametrize("name", ["pose_streams", "pose_channels"])
@pytest.mark.parametrize("length", [1, 2])
def test_short_sequences_do_not_move(name, length):
    found = act(POSES[:length], {"type": name})
    assert len(found) == length
    assert np.isfinite(found).all()


def test_points_are_drawn_from_those_that_there_are():
    x = CLOUDS.copy()
    x[0, 7:] = x[1, :33] = np.nan
    sample = {"type": "sample_points", "number": 200}
    drawn = act(x, sample)
    assert drawn.shape == (5, 200, 3)
    for frame, points, number in zip(drawn, x, (7, 7, 40, 40, 40), strict=True):
        known = {tuple(p) for p in points.tolist() if np.isfinite(p).all()}
        assert {tuple(p) for p in frame.tolist()} == known
        assert len(known) == number
    x[3] = np.nan
    with pytest.raises(UserError, match="sample_points: a frame has no points"):
        act(x, sample)


def test_points_of_a_frame_are_the_same_in_whatever_company():
    sample = {"type": "sample_points", "number": 16}
    alone = act(CLOUDS[:2], sample, key=None)
    np.testing.assert_array_equal(act(CLOUDS, sample, key=None)[:2], alone)
    assert (act(CLOUDS, sample, key=(0, 0, 1))[:2] != alone).any()


def test_points_are_brought_into_the_unit_ball_beside_their_heights():
    found = transforms.normalise_points(CLOUDS, heights=True)
    np.testing.assert_allclose(found[..., :3].mean(axis=1), 0, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(found[..., :3], axis=-1).max(axis=1), 1, rtol=1e-6)
    np.testing.assert_array_equal(found[..., 3], CLOUDS[..., 2] - CLOUDS[..., 2].min(1)[:, None])
    points = [t for x, t in RANDOM if x is CLOUDS]
    augmented = act(found, *points)
    np.testing.assert_allclose(augmented[..., 3], found[..., 3], rtol=1e-6)
    assert (augmented[..., :3] != found[..., :3]).any()
    one = transforms.normalise_points(np.ones((2, 1, 3), np.float32))
    np.testing.assert_array_equal(one, 0)


def test_a_cloud_is_shifted_as_a_whole_unless_asked_otherwise():
    for per_point in (False, True):
        shift = {"type": "shift_points", "probability": 1.0, "per_point": per_point}
        moved = act(CLOUDS, shift) - CLOUDS
        assert np.allclose(moved, moved[:, :1], atol=1e-6) is not per_point
        assert (np.abs(moved) <= 0.1 + 1e-6).all()


def test_sides_are_swapped_frame_by_frame_on_request():
    swap = {"type": "swap_sides", "per_frame": True}
    kinds = set()
    for step in range(8):
        changed = (act(POSES, swap, key=(step,)) != POSES).any(axis=(1, 2))
        kinds |= set(changed.tolist())
        assert 0 < changed.sum() < 9
    assert kinds == {False, True}


def test_noise_spares_the_confidence_unless_asked_otherwise():
    for transform in ({"type": "joint_noise"}, {"type": "point_noise"}, {"type": "move"}):
        changed = act(POSES, transform) != POSES
        assert changed[..., :2].any()
        assert not changed[..., 2].any()
    assert (act(POSES, {"type": "point_noise", "confidence": True}) != POSES)[..., 2].any()
    moved = act(POSES, {"type": "joint_noise"}) - POSES
    np.testing.assert_allclose(moved, np.broadcast_to(moved[:1], moved.shape), atol=1e-4)


def test_evaluation_drops_frames_before_it_chooses_some():
    listed = {"x": ({"type": "centre_window", "number": 2},)}
    found = in_evaluation({"x": np.arange(10)}, listed, 6)
    np.testing.assert_array_equal(found["x"], [2, 3])
    stored = np.arange(10)
    assert not np.shares_memory(in_evaluation({"x": stored}, {}, 6)["x"], stored)


def test_what_sees_whole_sequences_acts_before_frames_are_chosen(monkeypatch):
    def behind(x):
        return np.append(x[1:], x[:1])

    monkeypatch.setitem(transforms.WHOLE, "behind", behind)
    monkeypatch.setitem(transforms.HOST, "behind", behind)
    listed = {"x": ({"type": "behind"}, {"type": "centre_window", "number": 2})}
    np.testing.assert_array_equal(of_sequence({"x": np.arange(4)}, listed)["x"], [1, 2, 3, 0])
    np.testing.assert_array_equal(of_frames({"x": np.arange(4)}, listed, None)["x"], [1, 2])
    np.testing.assert_array_equal(in_evaluation({"x": np.arange(4)}, listed, 9)["x"], [2, 3])
    late = {"x": ({"type": "move"}, {"type": "behind"})}
    with pytest.raises(UserError, match="behind acts on whole sequences, but move on the chosen"):
        augment.check(late)


@pytest.mark.parametrize(
    ("listed", "text"),
    [
        (({"type": "joint_noise", "sigma": 1},), "joint_noise has no option 'sigma'; it has std"),
        (({"type": "sample_points"},), "sample_points needs the option 'number'"),
        (({"type": "flip"}, {"type": "reverse"}), r"\[1\]: reverse acts on the chosen frames, but"),
        (({"type": "reverse", "per_frame": True},), "reverse has no option 'per_frame'"),
    ],
)
def test_what_the_config_says_wrongly_is_refused_before_any_data_are_read(listed, text):
    with pytest.raises(UserError, match=text):
        augment.check({"pose": listed})


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        ({"type": "pose_channels", "skeleton": "openpose"}, "17 joints; the skeleton openpose"),
        ({"type": "pose_streams", "skeleton": "kinect"}, "no skeleton 'kinect'; expected coco or"),
        ({"type": "choose_joints", "joints": (3, 17)}, "there are 17 joints; expected 18"),
    ],
)
def test_poses_of_another_skeleton_are_refused(transform, text):
    with pytest.raises(UserError, match=text):
        act(POSES, transform)
