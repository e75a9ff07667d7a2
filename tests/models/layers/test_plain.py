"""The plain backbone, and what is convolved in strips."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.models.layers.plain import Plain
from gaitjax.models.layers.strips import in_strips


def test_strips_are_treated_one_by_one_and_the_last_may_be_shorter():
    x = jnp.arange(14.0).reshape(2, 7)
    found = in_strips(x, 1, 3, lambda strip: jnp.cumsum(strip, 1))
    np.testing.assert_array_equal(found[0], [0, 1, 3, 3, 7, 12, 6])
    with pytest.raises(UserError, match="map of 7 rows is cut into more strips"):
        in_strips(x, 1, 0, lambda strip: strip)


@pytest.mark.parametrize("rows", [8, 11])
def test_focal_convolution_does_not_look_beyond_its_strip(rows):
    """Strips of floor(H / 2^2) = 2 rows: what a focal layer makes of them all, and of each."""
    x = jnp.asarray(np.random.default_rng(0).standard_normal((1, 2, rows, 6, 3), "f4"))
    focal = Plain(("FC-4-2",), jnp.float32)
    variables = focal.init(jax.random.key(0), x, False, None)
    basic = Plain(("BC-4",), jnp.float32)
    alone = [basic.apply(variables, x[:, :, i : i + 2], False, None) for i in range(0, rows, 2)]
    together = focal.apply(variables, x, False, None)
    np.testing.assert_allclose(together, jnp.concatenate(alone, 2), atol=1e-5)


@pytest.mark.parametrize("layer", ["FC-4", "FC-4-", "BC-4-2", "BC", "P"])
def test_unknown_layers_are_named(layer):
    with pytest.raises(UserError, match=f"layer '{layer}' .* expected BC-<channels>"):
        Plain((layer,), jnp.float32).init(
            jax.random.key(0), jnp.zeros((1, 1, 8, 8, 1)), False, None
        )
