import jax
import jax.numpy as jnp
import numpy as np

from gaitjax import models


def test_the_embedding_is_the_mean_of_the_frames_that_count():
    model = models.build("energy_image", {}, {"identity": 3}, "bfloat16")
    frames = np.random.default_rng(0).random((2, 6, 4, 3), np.float32)
    frames[1, 4:] = np.nan  # padding may hold anything
    inputs, lengths = {"silhouette": jnp.asarray(frames)}, jnp.array([6, 4])
    variables = model.init(jax.random.key(0), inputs, lengths, train=False)
    found = model.apply(variables, inputs, lengths, train=False).embeddings
    assert not variables
    assert found.dtype == jnp.float32
    expected = np.stack([frames[0].mean(0), frames[1, :4].mean(0)]).reshape(2, 1, 12)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
