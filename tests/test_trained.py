"""A trained network embeds sequences as the network itself does, in whatever company."""

import functools
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import tiny

import gaitjax
from configs import common, gaitset, smplgait
from gaitjax.data import augment, transforms
from gaitjax.errors import UserError
from gaitjax.interop import opengait
from gaitjax.trained import Trained
from gaitjax.training import experiment as experiments

LENGTHS = (3, 6, 1)


@functools.cache
def network(name="gaitset"):
    if name == "gaitset":
        config = gaitset.get_config("casia_b")
        config.model.update(channels=(2, 3, 4), embedding=4)
    else:
        config = smplgait.get_config("gait3d")
        layers = ("BC-4", "M", "BC-6", "M")
        config.model.update(backbone={"type": "plain", "layers": layers}, embedding=4)
    config.evaluation.frame_bucket = 4
    model = experiments.build_model(config, {"identity": 3})
    init = jax.jit(functools.partial(model.init, train=False))
    variables = init(jax.random.key(0), *opengait.example(name, model))
    return Trained(config, {"identity": 3}, 0, model, variables)


def silhouettes(lengths=LENGTHS):
    return [np.random.default_rng(n).integers(0, 256, (n, 64, 64), np.uint8) for n in lengths]


def alone(found, sequence):
    """The embedding by the network itself, of one sequence that is not padded."""
    lengths = jnp.array([len(next(iter(sequence.values())))])
    wire = {name: x[None] for name, x in sequence.items()}
    inputs = augment.apply(wire, lengths, found.config.data.transforms.to_dict(), None)
    apply = jax.jit(functools.partial(found.model.apply, train=False))
    return apply(found.variables, inputs, lengths).embeddings[0]


def test_an_embedding_is_the_networks_own():
    found, given = network(), silhouettes()
    expected = [alone(found, {"silhouette": x}) for x in given]
    embeddings = found.embed(given)
    assert embeddings.dtype == np.float32
    assert embeddings.shape == (len(given), 62, 4)
    np.testing.assert_allclose(embeddings, expected, atol=1e-5)


def test_company_and_order_change_nothing():
    found, given = network(), silhouettes()
    whole = found.embed(given)
    for rows in ([0], [2, 0], [2, 1, 0]):
        np.testing.assert_allclose(found.embed([given[i] for i in rows]), whole[rows], atol=1e-6)


def test_several_modalities_come_as_a_dict():
    found = network("smplgait")
    smpl = [np.random.default_rng(n).standard_normal((n, 85)) for n in (3, 6)]
    given = [{"silhouette": x, "smpl": y} for x, y in zip(silhouettes((3, 6)), smpl, strict=True)]
    expected = [alone(found, {**x, "smpl": x["smpl"].astype("f4")}) for x in given]
    np.testing.assert_allclose(found.embed(given), expected, atol=1e-5)
    for wrong, named in (
        (given[0]["silhouette"], r"sequences\[0\] is one array; expected a dict of"),
        ({"silhouette": given[0]["silhouette"]}, r"sequences\[0\] has no smpl"),
        ({**given[0], "smpl": given[1]["smpl"]}, "same number"),
    ):
        with pytest.raises(UserError, match=named):
            found.embed([wrong])


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ([], "no sequences"),
        ([np.zeros((3, 64, 64))], r"sequences\[0\] holds float64 \[3, 64, 64\]"),
        ([np.zeros((64, 64), np.uint8)], r"\[64, 64\]; a silhouette is uint8 \[frames, height"),
        ([None], r"sequences\[0\] holds object"),
        ([np.zeros((0, 64, 64), np.uint8)], "has no frames"),
        ([np.zeros((2, 64, 64), np.uint8), np.zeros((2, 32, 64), np.uint8)], r"given/sequence/1"),
    ],
)
def test_what_cannot_be_embedded_is_named(given, named):
    with pytest.raises(UserError, match=named):
        network().embed(given)


@pytest.mark.parametrize(
    ("path", "config", "named"),
    [
        ("x.pt", None, "x.pt has no config"),
        ("x.pt", "configs/nowhere.py:casia_b", "configs/nowhere.py does not exist"),
        ("x.pt", f"{tiny.REPOSITORY}/configs/gaitset.py:casia_b", "x.pt does not exist"),
        ("nowhere", None, "no checkpoint in"),
    ],
)
def test_what_cannot_be_loaded_is_named(path, config, named):
    with pytest.raises(UserError, match=named):
        gaitjax.load(path, config)


def test_the_package_alone_imports_no_jax():
    check = "import sys, gaitjax; assert gaitjax.load; sys.exit('jax' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True, cwd=tiny.REPOSITORY)


def posed(listed, modality="pose"):
    """A network of poses or points, with these transforms."""
    config = common.base("folder")
    config.network, config.model = "tests.any_modality", {}
    config.data.modalities, config.data.transforms = (modality,), {modality: listed}
    config.evaluation.frame_bucket = 4
    model = experiments.build_model(config, {})
    frames = {"pose": np.ones((2, 17, 3), np.float32), "points": np.ones((2, 9, 3), np.float32)}
    sent = transforms.in_evaluation({modality: frames[modality]}, config.data.transforms, 9)
    inputs = {modality: sent[modality][None]}
    variables = model.init(jax.random.key(0), inputs, jnp.array([2]), train=False)
    return Trained(config, {}, 0, model, variables)


def test_poses_are_transformed_as_in_training():
    listed = (
        {"type": "joint_noise", "std": 9.0},  # acts in training only
        {"type": "centre_window", "number": 5},
        {"type": "pose_channels"},
    )
    found = posed(listed)
    given = [np.random.default_rng(n).normal(0, 9, (n, 17, 3)).astype(np.float32) for n in (4, 9)]
    channels = [transforms.pose_channels(x) for x in (given[0], given[1][2:7])]
    expected = [alone(found, {"pose": x}) for x in channels]
    np.testing.assert_allclose(found.embed(given), expected, atol=1e-5)


def test_clouds_of_any_number_of_points_are_embedded():
    found = posed(({"type": "sample_points", "number": 8}, {"type": "normalise_points"}), "points")
    rng = np.random.default_rng(0)
    given = [rng.normal(0, 1, (3, points, 3)).astype(np.float32) for points in (5, 20, 11)]
    given[1][0, 7:] = np.nan
    whole = found.embed(given)
    assert np.isfinite(whole).all()
    np.testing.assert_allclose(found.embed(given[::-1]), whole[::-1], atol=1e-6)
    given[1][0] = np.nan
    with pytest.raises(UserError, match=r"given/sequence/1: .*a frame has no points"):
        found.embed(given)
