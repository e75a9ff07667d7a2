"""The transforms of golden cases to the digit, and what random ones promise."""

import functools
import json
from pathlib import Path

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from gaitjax.data import augment
from gaitjax.errors import UserError

GOLDEN = Path(__file__).parents[1] / "golden"
CASES = json.loads((GOLDEN / "transforms.json").read_text())["cases"]
NAMES = {
    "BaseSilTransform": "silhouette",
    "BaseSilCuttingTransform": "silhouette_cut",
    "BaseParsingCuttingTransform": "parsing_cut",
}
AUGMENTATIONS = (
    {"type": "affine"},
    {"type": "perspective"},
    {"type": "silhouette_cut"},
    {"type": "dilate"},
    {"type": "flip"},
    {"type": "rotate"},
    {"type": "erase"},
)


def golden(name):
    """Input [T, H, W], output, and the drawn numbers behind the decision to act."""
    with np.load(GOLDEN / "transforms.npz") as arrays:
        x, expected = arrays[f"{name}/in"], arrays[f"{name}/out"]
    draws = [draw[-1] for draw in CASES[name]["draws"][1:]]
    return jnp.asarray(x, x.dtype if x.dtype == np.uint8 else jnp.float32), expected, draws


def silhouettes(n, t=2, size=64, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, t, size, size), dtype=np.uint8)


@functools.cache
def compiled(transforms):
    def step(x, key):
        lengths = jnp.full(len(x), x.shape[1])
        return augment.apply(
            {"silhouette": x}, lengths, {"silhouette": json.loads(transforms)}, key
        )

    return jax.jit(step)


def apply(x, *transforms, key=None):
    return compiled(json.dumps(transforms))(x, key)["silhouette"]


@pytest.mark.parametrize("name", [n for n in CASES if n.startswith(("BaseSil", "BaseParsing"))])
def test_deterministic_ones_equal_opengait(name):
    x, expected, _ = golden(name)
    options = {k.replace("divsor", "divisor"): v for k, v in CASES[name]["transform"].items()}
    x = x.reshape(-1, *options.pop("img_shape", x.shape[1:]))
    actual = apply(x[None], options | {"type": NAMES[options["type"]]})[0]
    assert actual.dtype == jnp.float32
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


def test_rgb_takes_imagenets_mean_and_deviation():
    x = np.full((1, 2, 4, 4, 3), (124, 116, 104), np.uint8)  # the mean, rounded
    x[0, 1] = (124 + 58, 116 + 57, 104 + 57)  # one deviation above it
    actual = apply(x, {"type": "rgb"})
    assert actual.dtype == jnp.float32
    np.testing.assert_allclose(actual[0, 0], 0, atol=0.01)
    np.testing.assert_allclose(actual[0, 1], 1, atol=0.01)


@pytest.mark.parametrize("name", ["RandomHorizontalFlip", "RandomHorizontalFlip_not"])
def test_flip_equals_opengait(name):
    x, expected, _ = golden(name)
    flip = {"type": "flip", "probability": CASES[name]["transform"]["prob"]}
    np.testing.assert_allclose(
        apply(x[None], flip, key=jax.random.key(0))[0], expected, rtol=0, atol=1e-6
    )


def test_erase_equals_opengait():
    x, expected, (area, aspect, top, left) = golden("RandomErasing")
    H, W = x.shape[1:]
    height, width = round((area * H * W * aspect) ** 0.5), round((area * H * W / aspect) ** 0.5)
    actual = augment.blacken(x, top, left, height, width)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=1e-6)


# Of floating-point frames OpenCV takes sources in steps of 1/32 pixel; ours are exact.
@pytest.mark.parametrize(("kind", "tolerance"), [("uint8", 1), ("float", 1 / 32)])
@pytest.mark.parametrize("name", ["RandomRotate", "RandomPerspective", "RandomAffine"])
def test_warps_equal_opencv(name, kind, tolerance):
    x, expected, draws = golden(f"{name}_{kind}")
    if name == "RandomRotate":
        matrix = augment.rotation(jnp.asarray(draws[0]), *x.shape[1:])
    elif name == "RandomAffine":
        matrix = augment.triangle(jnp.reshape(jnp.asarray(draws), (2, 3, 2)), *x.shape[1:])
    else:
        matrix = augment.trapezoid(jnp.reshape(jnp.asarray(draws), (2, 2)), *x.shape[1:])
    actual = augment.warp(x, matrix)
    assert actual.dtype == x.dtype
    difference = abs(np.asarray(actual, float) - expected)
    assert difference.max() <= tolerance
    assert difference.mean() <= 0.02 * tolerance
    assert abs(np.asarray(x, float) - expected).max() > 10 * tolerance  # something has moved


def test_warp_equals_opencv_on_channels():
    x = np.random.default_rng(0).random((2, 40, 56, 3), np.float32)
    matrix = np.array([[0.9, 0.2, -3], [-0.1, 1.1, 2], [0.001, -0.002, 1]], np.float32)
    expected = [
        cv2.warpPerspective(f, matrix, (56, 40), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        for f in x
    ]
    np.testing.assert_allclose(augment.warp(x, matrix), expected, rtol=0, atol=1 / 32)


@pytest.mark.parametrize("kind", range(len(augment.ELEMENTS)))
def test_dilate_equals_opencv_in_its_band(kind):
    shapes = ["RECT"] * 3 + ["CROSS"] * 3 + ["ELLIPSE"] * 3
    sizes = [(5, 3), (5, 5), (3, 5), *2 * [(3, 3), (3, 5), (5, 3)]]
    element = cv2.getStructuringElement(getattr(cv2, f"MORPH_{shapes[kind]}"), sizes[kind])
    x = np.random.default_rng(kind).random((2, 64, 44), np.float32)
    expected = x.copy()
    for frame in expected:
        frame[12:39] = cv2.dilate(frame[12:39], element)
    actual = augment.dilate_band(x, jnp.asarray(augment.ELEMENTS[kind]), 12, 39)
    np.testing.assert_array_equal(actual, expected)


def test_blur_equals_opencv_in_its_band():
    x = (np.random.default_rng(0).random((2, 64, 44)) < 0.1).astype(np.float32)
    expected = x.copy()
    for frame in expected:
        frame[9:50] = cv2.GaussianBlur(frame[9:50], (3, 3), 0) > 0.2
    np.testing.assert_array_equal(augment.blur_band(jnp.asarray(x), 9, 50), expected)
    assert (expected != x).mean() > 0.01


@pytest.mark.parametrize("name", ["dilate", "blur"])
def test_bands_are_drawn_within_their_bounds(name):
    x = np.zeros((400, 1, 64, 44), np.uint8)
    x[:, :, ::4, ::2] = 255  # sparse, so that every row of a band changes
    transform = {"type": name, "probability": 1, "top": (9, 12), "bottom": (40, 42)}
    before = apply(x, {"type": "silhouette"})
    after = apply(x, {"type": "silhouette"}, transform, key=jax.random.key(8))
    changed = np.asarray(after != before).any((1, 3))
    tops, ends = changed.argmax(1), 64 - changed[:, ::-1].argmax(1)
    assert tops.min() >= 9
    assert ends.max() <= 42
    assert len(set(zip(tops.tolist(), ends.tolist(), strict=True))) >= 6


def test_unmoved_frames_stay_bit_identical():
    x = silhouettes(1)[0]
    np.testing.assert_array_equal(augment.warp(x, jnp.eye(3)), x)
    np.testing.assert_array_equal(augment.warp(x, augment.rotation(jnp.array(0.0), 64, 64)), x)


@pytest.mark.parametrize("name", sorted(augment.RANDOM))
def test_probability_0_never_acts_and_1_always(name):
    x = silhouettes(8)
    key = jax.random.key(1)
    scaled = {"type": "silhouette"}
    kept = apply(x, scaled, {"type": name, "probability": 0}, key=key)
    moved = apply(x, scaled, {"type": name, "probability": 1}, key=key)
    np.testing.assert_array_equal(kept, apply(x, scaled))
    assert (moved != kept).any((1, 2, 3)).all()


def test_acts_as_often_as_the_probability_says():
    x = np.tile(np.arange(4, dtype=np.uint8), (4000, 1, 1, 1))
    acted = (apply(x, {"type": "flip", "probability": 0.2}, key=jax.random.key(0)) != x).any(
        (1, 2, 3)
    )
    assert acted.mean() == pytest.approx(0.2, abs=3 * (0.2 * 0.8 / 4000) ** 0.5)


def test_all_frames_of_a_sequence_are_treated_alike():
    x = np.repeat(silhouettes(6, t=1), 2, axis=1)
    first, second = np.moveaxis(apply(x, *AUGMENTATIONS, key=jax.random.key(2)), 1, 0)
    np.testing.assert_array_equal(first, second)


def test_a_row_depends_on_its_index_and_the_key_alone():
    x = silhouettes(6)
    changed = np.concatenate([x[:2], silhouettes(4, seed=9)])
    first, second, third = (
        apply(rows, *AUGMENTATIONS, key=jax.random.key(seed))
        for rows, seed in ((x, 3), (changed, 3), (x, 4))
    )
    np.testing.assert_array_equal(first[:2], second[:2])
    assert (first != third).any()
    alike = np.repeat(x[:1], 6, axis=0)
    rotated = apply(alike, {"type": "rotate", "probability": 1}, key=jax.random.key(3))
    assert len(np.unique(rotated, axis=0)) == 6


def test_rows_may_be_taken_one_after_another():
    x, lengths, key = silhouettes(8, t=3), np.full(8, 3), jax.random.key(9)
    listed = {"silhouette": ({"type": "rotate"}, {"type": "erase", "per_frame": True})}
    steps = [
        jax.jit(lambda x, each=each: augment.apply({"silhouette": x}, lengths, listed, key, each))
        for each in (False, True)
    ]
    at_once, row_by_row = (step(x)["silhouette"] for step in steps)
    np.testing.assert_allclose(row_by_row, at_once, rtol=0, atol=1e-6)


def test_modalities_with_the_same_transforms_stay_aligned():
    x = silhouettes(8)
    inputs = {"silhouette": x, "heatmap": np.stack([x, x], -1)}
    listed = dict.fromkeys(inputs, AUGMENTATIONS)
    step = jax.jit(lambda x: augment.apply(x, np.full(8, 2), listed, jax.random.key(5)))
    out = step(inputs)
    np.testing.assert_array_equal(out["heatmap"][..., 0], out["silhouette"])


def test_evaluation_skips_random_transforms():
    x = silhouettes(2)
    np.testing.assert_allclose(apply(x, *AUGMENTATIONS), x[..., 10:54] / 255, rtol=1e-6)


def test_modalities_without_transforms_pass():
    pose = np.random.default_rng(0).normal(size=(2, 3, 17, 3)).astype(np.float32)
    out = augment.apply({"pose": pose}, np.array([3, 3]), {}, jax.random.key(0))
    np.testing.assert_array_equal(out["pose"], pose)


def test_padding_does_not_decide_how_parsing_is_scaled():
    x = np.full((2, 3, 64, 64), 7, np.uint8)
    x[:, 2] = 255
    transforms = {"parsing": ({"type": "parsing_cut"},)}
    out = augment.apply({"parsing": x}, np.array([2, 3]), transforms, None)["parsing"]
    np.testing.assert_allclose(out[:, 0, 0, 0], [7, 7 / 255], rtol=1e-6)


def test_erased_rectangles_lie_inside_and_have_the_promised_size():
    x = np.full((500, 1, 64, 44), 255, np.uint8)
    erased = apply(x, {"type": "erase", "probability": 1}, key=jax.random.key(6))[:, 0] == 0
    height, width = erased.any(2).sum(1), erased.any(1).sum(1)
    np.testing.assert_array_equal(erased.sum((1, 2)), height * width)  # a full rectangle
    area, aspect = height * width / (64 * 44), height / width
    assert 0.04 < area.min() < 0.07
    assert 0.17 < area.max() < 0.22
    assert 0.25 < aspect.min() < 0.5
    assert 2.5 < aspect.max() < 3.9


def test_a_rectangle_that_never_fits_erases_nothing():
    x = silhouettes(2)
    options = {"type": "erase", "probability": 1, "area": (1.0, 1.0), "aspect": (1.0, 1.0)}
    np.testing.assert_array_equal(apply(x, options, key=jax.random.key(0)), x)


def test_a_sharded_batch_gives_the_same_and_moves_no_images():
    x, lengths, key = silhouettes(8), np.full(8, 2, np.int32), jax.random.key(7)
    mesh = jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))
    rows = NamedSharding(mesh, PartitionSpec("data"))
    step = jax.jit(
        lambda x, lengths, key: augment.apply(
            {"silhouette": x}, lengths, {"silhouette": AUGMENTATIONS}, key
        )["silhouette"],
        in_shardings=(rows, rows, None),
        out_shardings=rows,
    )
    sharded = step.lower(x, lengths, key).compile()
    assert not any(f"{op}(" in sharded.as_text() for op in ("all-gather", "all-reduce"))
    np.testing.assert_allclose(
        sharded(*jax.device_put((x, lengths), rows), key),
        apply(x, *AUGMENTATIONS, key=key),
        rtol=0,
        atol=1e-6,
    )


def test_every_frame_is_drawn_for_itself_on_request():
    x = np.full((4, 6, 64, 64), 255, np.uint8)
    erase = {"type": "erase", "probability": 0.7, "per_frame": True}
    found = np.asarray(apply(x, erase, key=jax.random.key(0)))
    erased = (found == 0).reshape(24, -1)
    assert 0 < erased.any(axis=1).sum() < 24
    assert len({tuple(frame) for frame in erased.tolist() if any(frame)}) > 10


@pytest.mark.parametrize(
    ("transform", "text"),
    [
        ({"type": "flop"}, "silhouette\\[0\\] has type 'flop'; expected .*flip"),
        ({"divisor": 255}, "has type None; expected"),
        ({"type": "flip", "prob": 0.5}, "flip has no option 'prob'; it has per_frame, probability"),
        ({"type": "silhouette", "probability": 0.5}, "no option 'probability'; it has divisor"),
    ],
)
def test_unknown_names_are_refused(transform, text):
    with pytest.raises(UserError, match=text):
        augment.check({"silhouette": (transform,)})
    with pytest.raises(UserError, match=text):
        apply(silhouettes(1), transform)


def test_blur_refuses_what_is_not_scaled():
    with pytest.raises(UserError, match=r"blur: frames are 0\.\.255; name silhouette_cut before"):
        apply(silhouettes(1), {"type": "blur"}, key=jax.random.key(0))


def test_frames_too_narrow_are_refused():
    with pytest.raises(UserError, match="affine: frames are 32 x 32; expected 64 x 44"):
        apply(silhouettes(1, size=32), {"type": "affine"}, key=jax.random.key(0))
    with pytest.raises(UserError, match="frames have 32 columns"):
        apply(silhouettes(1, size=32), {"type": "perspective"}, key=jax.random.key(0))
    with pytest.raises(UserError, match="cuts 32 columns"):
        apply(silhouettes(1), {"type": "silhouette_cut", "cutting": 32})
