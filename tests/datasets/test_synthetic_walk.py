"""What cameras record looks like people who walk."""

import numpy as np
import pytest

from gaitjax.datasets.synthetic.body import draw_body
from gaitjax.datasets.synthetic.camera import HEIGHT, WIDTH, at_view, derivative, project
from gaitjax.datasets.synthetic.clothing import dress
from gaitjax.datasets.synthetic.draws import generator
from gaitjax.datasets.synthetic.flesh import Solid, pose, undressed
from gaitjax.datasets.synthetic.gait import KNEE, THIGH, leg_angles, rotation, series, walk
from gaitjax.datasets.synthetic.modalities import RECORDERS, silhouette
from gaitjax.datasets.synthetic.render import masks, outlines
from gaitjax.datasets.synthetic.sequence import shoot, walk_of

FRAMES = (20, 20)
PLAIN = np.ones(5)


@pytest.fixture(scope="module", params=["001", "014"])
def scene(request):
    return walk_of(0, request.param, "nm-01", FRAMES)


@pytest.mark.parametrize("table", [THIGH, KNEE])
def test_series_follows_the_published_curve(table):
    mean, deviation = series(table, PLAIN, np.arange(20) / 20)
    assert np.abs(mean + deviation - table).max() < 2.5  # degrees


def test_rotation_turns_forward_to_left_and_bends_up_to_forward():
    x, y, z = np.eye(3)
    np.testing.assert_allclose(rotation([90], 0, 0)[0] @ x, y, atol=1e-12)
    np.testing.assert_allclose(rotation([0], 90, 0)[0] @ z, x, atol=1e-12)
    np.testing.assert_allclose(rotation([0], 0, 90)[0] @ y, z, atol=1e-12)
    turned = rotation([10, 20], [3, 4], [5, 6])
    np.testing.assert_allclose(turned @ turned.transpose(0, 2, 1), [np.eye(3)] * 2, atol=1e-12)


def test_bones_keep_their_lengths_and_a_foot_is_on_the_ground(scene):
    points = scene.skeleton.points
    for upper, lower, bone in (
        ("hip", "knee", "thigh"),
        ("knee", "ankle", "shank"),
        ("shoulder", "elbow", "upper_arm"),
        ("elbow", "wrist", "forearm"),
    ):
        for side in ("left", "right"):
            length = np.linalg.norm(points[f"{side}_{upper}"] - points[f"{side}_{lower}"], axis=-1)
            np.testing.assert_allclose(length, scene.body[bone])
    feet = [points[f"{s}_{end}"][:, 2] for s in ("left", "right") for end in ("heel", "toe")]
    np.testing.assert_allclose(np.min(feet, axis=0), 0, atol=1e-12)


def test_arms_swing_against_the_legs_and_the_walk_goes_forward(scene):
    points = scene.skeleton.points
    ahead = {n: points[n][:, 0] - points["pelvis"][:, 0] for n in ("left_ankle", "left_wrist")}
    assert np.corrcoef(ahead["left_ankle"], ahead["left_wrist"])[0, 1] < -0.5
    assert (np.diff(points["pelvis"][:, 0]) > 0).all()


def test_outline_of_an_ellipsoid_is_that_of_its_points():
    rng = np.random.default_rng(0)
    axes = rng.normal(0, 0.1, (3, 3))
    centre = np.array([0.3, -0.2, 1.1])
    solid = Solid(centre[None, None], axes[None, None], np.array([[0]]))
    camera = at_view("054")
    corners = outlines(solid, camera)[0, 0]
    sphere = rng.normal(size=(200_000, 3))
    surface = centre + sphere / np.linalg.norm(sphere, axis=-1, keepdims=True) @ axes.T
    seen, _ = project(camera, surface)
    middle, _ = project(camera, centre)
    for number, corner in enumerate(corners):
        angle = 2 * np.pi * number / len(corners)
        normal = np.array([np.cos(angle), np.sin(angle)])
        farthest = ((seen - middle) @ normal).max()
        assert (corner - middle) @ normal == pytest.approx(farthest, rel=0.05)


def test_derivative_is_that_of_project():
    camera, point, small = at_view("126"), np.array([0.2, 0.4, 1.5]), 1e-6
    numeric = [
        (project(camera, point + small * step)[0] - project(camera, point - small * step)[0])
        / (2 * small)
        for step in np.eye(3)
    ]
    np.testing.assert_allclose(derivative(camera, point), np.transpose(numeric), atol=1e-4)


def test_cameras_stand_around_the_left_side():
    front, left = np.array([0.3, 0, 1]), np.array([0, 0.3, 1])
    middle = np.array([0, 0, 1.0])

    def pixel(view, point):
        return project(at_view(view), point)[0] - project(at_view(view), middle)[0]

    assert pixel("090", front)[0] < -10  # seen from the left, people walk to the left
    assert pixel("000", left)[0] > 10  # seen from the front, their left is on our right
    assert pixel("180", left)[0] < -10
    assert pixel("090", middle + (0, 0, 0.3))[1] < -10  # y goes down


@pytest.mark.parametrize("view", ["000", "054", "180"])
def test_a_body_lies_around_its_key_points(scene, view):
    camera = at_view(view)
    windows = masks(outlines(scene.solid, camera))
    for joint in ("head", "pelvis", "left_knee", "right_elbow"):
        pixels, _ = project(camera, scene.skeleton.points[joint])
        for (mask, corner), pixel in zip(windows, pixels, strict=True):
            x, y = np.round(pixel - corner).astype(int)
            assert mask[y, x] == 255


@pytest.mark.parametrize("view", ["000", "018", "090", "180"])
def test_long_walks_stay_in_the_picture(view):
    scene = walk_of(0, "005", "nm-01", (150, 150))
    corners = outlines(scene.solid, at_view(view))
    assert corners.min() >= 0
    assert (corners <= (WIDTH, HEIGHT)).all()


@pytest.mark.parametrize("sequence", ["nm-02", "bg-01", "cl-01"])
def test_recordings_are_silhouettes_and_coco_poses(sequence):
    shot = shoot(0, "007", sequence, "036", (10, 14))
    silhouettes, poses = silhouette(shot), shot.points
    frames = len(silhouettes)
    assert 10 <= frames <= 14
    assert silhouettes.shape == (frames, 64, 64)
    assert silhouettes.dtype == np.uint8
    assert silhouettes[:, [0, -1]].any(axis=2).all()  # every body fills the height
    share = (silhouettes > 127).mean(axis=(1, 2))
    assert ((share > 0.08) & (share < 0.5)).all()
    assert poses.shape == (frames, 17, 3)
    assert poses.dtype == np.float32
    confidence = poses[..., 2]
    assert ((confidence >= 0) & (confidence <= 1)).all()
    heights = poses[:, :, 1].mean(axis=0)
    assert heights[0] < heights[5] < heights[11] < heights[13] < heights[15]  # nose to ankle


def test_every_modality_shows_the_same_frames_of_the_same_body():
    shot = shoot(0, "007", "cl-01", "036", (4, 4))
    recorded = {name: recorder(shot) for name, recorder in RECORDERS.items()}
    assert {name: (x.shape[1:], x.dtype.name) for name, x in recorded.items()} == {
        "silhouette": ((64, 64), "uint8"),
        "pose": ((17, 3), "float32"),
        "parsing": ((64, 64), "uint8"),
        "depth": ((64, 64, 3), "uint8"),
        "rgb": ((128, 128, 3), "uint8"),
        "mask": ((128, 128), "uint8"),
        "ratio": ((), "float32"),
        "smpl": ((85,), "float32"),
        "points": ((recorded["points"].shape[1], 3), "float32"),
        "latents": ((96, 48, 4), "float32"),
    }
    assert {len(x) for x in recorded.values()} == {len(shot.found)}
    body = recorded["silhouette"] > 127
    for name in ("parsing", "depth"):
        shown = recorded[name].reshape(*body.shape, -1).any(axis=-1)
        assert (shown != body).mean() < 0.03
    in_latents = (recorded["latents"] > -0.9).any(axis=-1)[:, ::3, ::3]  # 32 x 16
    assert (in_latents != body[:, ::2, 16:48:2]).mean() < 0.1
    rows = [np.nonzero(recorded["parsing"] == part)[1].mean() for part in (1, 2, 7, 9)]
    assert rows == sorted(rows)  # head, trunk, leg, foot
    assert set(np.unique(recorded["parsing"])) <= set(range(12))
    assert 11 in recorded["parsing"]  # the coat
    inside, outside = (recorded["rgb"][recorded["mask"] > 127, :], recorded["rgb"][:, :8, :8])
    assert len(inside) > len(outside)
    assert ((recorded["ratio"] > 0.2) & (recorded["ratio"] < 0.8)).all()


def test_knees_of_the_body_model_bend_as_the_walk_does():
    shot = shoot(0, "007", "nm-01", "090", (40, 40))
    bends = np.abs(RECORDERS["smpl"](shot)[:, 3 + 3 * 4 + 1])  # about the axis to the left
    frames = shot.walk.skeleton.frames
    thigh, shank = frames["left_thigh"][..., 2], frames["left_shank"][..., 2]
    exact = np.arccos((thigh * shank).sum(axis=1))[shot.seen]
    assert np.corrcoef(bends, exact)[0, 1] > 0.95


def test_hidden_key_points_are_doubtful():
    left, right = [5, 7, 9, 11, 13, 15], [6, 8, 10, 12, 14, 16]
    side, front, back = (
        shoot(0, "003", "nm-01", view, FRAMES).points[..., 2].mean(axis=0)
        for view in ("090", "000", "180")
    )
    assert (side[left[:2]] > side[right[:2]] + 0.2).all()
    assert np.abs(front[left] - front[right]).max() < 0.2
    assert front[0] > back[0] + 0.2  # the nose


def test_all_views_show_the_same_walk_and_every_type_another():
    one = walk_of(1, "002", "nm-01", FRAMES)
    again = walk_of(1, "002", "nm-01", FRAMES)
    other = walk_of(1, "002", "nm-02", FRAMES)
    stranger = walk_of(1, "003", "nm-01", FRAMES)
    np.testing.assert_array_equal(one.solid.centres, again.solid.centres)
    assert one.body == other.body
    assert np.abs(one.solid.centres - other.solid.centres).max() > 0.01
    assert one.body != stranger.body


def test_bags_and_coats_add_to_the_outline(scene):
    def area(condition):
        flesh = dress(undressed(scene.body), condition, scene.body, generator(0, condition))
        solid = pose(flesh, scene.skeleton)
        return np.mean([(mask > 0).sum() for mask, _ in masks(outlines(solid, at_view("054")))])

    assert 1.02 * area("nm") < area("bg")
    assert 1.1 * area("nm") < area("cl")


def test_legs_alternate():
    body = draw_body(generator(0, "001"))
    gait = dict.fromkeys(
        ("leg_asymmetry", "arm_asymmetry", "limp", "crouch", "step_width", "toe_out", "lean"), 0.0
    ) | dict.fromkeys(("sway", "turn", "list", "head", "arm", "arm_spread"), 0.0)
    gait |= dict.fromkeys(("thigh", "knee", "ankle"), 1.0)
    gait |= {"arm_swing": 15.0, "elbow": 20.0, "elbow_swing": 5.0}
    phase = np.arange(20) / 20
    factors = np.ones((3, 5), complex)
    points = walk(body, gait, factors, phase).points
    height = {side: points[f"{side}_ankle"][:, 2] for side in ("left", "right")}
    np.testing.assert_allclose(height["left"], np.roll(height["right"], 10), atol=1e-9)
    thigh, shank, _ = leg_angles(gait, factors, phase, 1)
    assert (thigh - shank).argmax() == 14  # the knee bends most in early swing, at 70 %


def test_energy_images_tell_people_apart_in_one_view_and_fail_across_views():
    identities = [f"{number:03d}" for number in range(1, 17)]

    def energy(sequence, view):
        mean = [silhouette(shoot(0, i, sequence, view, FRAMES)).mean(axis=0) for i in identities]
        return np.stack(mean).reshape(len(identities), -1)

    def rank1(probe, gallery):
        distance = np.linalg.norm(probe[:, None] - gallery, axis=-1)
        return (distance.argmin(axis=1) == np.arange(len(identities))).mean()

    gallery = energy("nm-01", "090")
    usual, coat = (rank1(energy(sequence, "090"), gallery) for sequence in ("nm-05", "cl-01"))
    across = rank1(energy("nm-05", "000"), gallery)
    assert usual > 0.8
    assert coat < usual - 0.2
    assert across < usual - 0.5
