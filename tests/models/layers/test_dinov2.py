"""DINOv2. What it computes is compared with its own code's in tests/golden."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.models.layers import dinov2

TINY = dinov2.DINOv2(width=12, blocks=2, heads=2, table=3)


@pytest.mark.parametrize(
    ("size", "registers", "millions"),
    [("small", 0, 22.057), ("base", 4, 86.584), ("large", 0, 304.369), ("giant", 0, 1136.480)],
)
def test_parameters_are_as_many_as_published(size, registers, millions):
    network = dinov2.DINOv2(**dinov2.SIZES[size], registers=registers)
    shapes = jax.eval_shape(network.init, jax.random.key(0), jnp.zeros((1, 14, 14, 3)))
    count = sum(x.size for x in jax.tree.leaves(shapes))
    assert count / 1e6 == pytest.approx(millions, abs=1e-3)


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize(("pixels", "size", "scale"), [(5, 3, None), (5, 9, None), (5, 8, 8.1 / 5)])
def test_positions_are_resized_as_pytorch_does(pixels, size, scale, antialias):
    torch = pytest.importorskip("torch")
    table = np.random.default_rng(0).standard_normal((pixels, pixels))
    resized = torch.nn.functional.interpolate(
        torch.from_numpy(table)[None, None],
        size=None if scale else (size, size),
        scale_factor=(scale, scale) if scale else None,
        mode="bicubic",
        antialias=antialias,
    )
    weights = dinov2.cubic_weights(pixels, size, scale, antialias)
    np.testing.assert_allclose(weights @ table @ weights.T, resized[0, 0], atol=1e-12)


def test_drop_path_leaves_out_blocks_of_whole_images_in_training():
    network = TINY.clone(drop_path=0.5, registers=2)
    images = np.random.default_rng(0).standard_normal((8, 14, 14, 3), "f4")
    variables = network.init(jax.random.key(0), images)
    kept, _ = network.apply(variables, images)
    drawn, _ = network.apply(variables, images, train=True, rngs={"dropout": jax.random.key(1)})
    np.testing.assert_array_equal(drawn[0], kept[0])  # the first block is never left out
    same = np.all(drawn[1] == drawn[0], axis=(1, 2))
    assert 0 < same.sum() < 8


def test_images_of_broken_patches_are_refused():
    with pytest.raises(UserError, match="images of 28 x 20 pixels"):
        TINY.init(jax.random.key(0), jnp.zeros((1, 28, 20, 3)))
