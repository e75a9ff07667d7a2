"""GaitPart's temporal aggregator against loops over sequences, parts and frames."""

import jax
import jax.numpy as jnp
import numpy as np

from gaitjax.models.gaitpart import TemporalFeatureAggregator


def convolve(x, kernel):
    """x [L, C] along L with kernel [K, C, D]; zeros lie beyond either end."""
    frames, half = len(x), len(kernel) // 2
    return jnp.stack(
        [
            sum(x[s] @ kernel[s - t + half] for s in near(t, len(kernel), frames))
            for t in range(frames)
        ]
    )


def near(t, size, frames):
    return range(max(t - size // 2, 0), min(t + size // 2 + 1, frames))


def aggregate(kernels, x):
    """One part of one sequence, [L, C] -> [C]."""
    motion = 0
    for size in (3, 5):
        y = convolve(x, kernels[f"motion{size}_conv1"])
        y = convolve(jnp.where(y > 0, y, 0.01 * y), kernels[f"motion{size}_conv2"])
        template = []
        for t in range(len(x)):
            around = jnp.stack([x[s] for s in near(t, size, len(x))])
            template.append(around.sum(0) / size + around.max(0))
        motion += jnp.stack(template) / (1 + jnp.exp(-y))
    return motion.max(0)


def test_aggregator_has_values_and_gradients_of_its_definition():
    rng = np.random.default_rng(0)
    x = jnp.asarray(rng.standard_normal((3, 6, 3, 8), "f4"))
    weight = jnp.asarray(rng.standard_normal((3, 3, 8), "f4"))
    lengths = (6, 4, 1)
    module = TemporalFeatureAggregator(jnp.float32)
    params = module.init(jax.random.key(0), x, jnp.array(lengths))["params"]

    def ours(params, x):
        return (module.apply({"params": params}, x, jnp.array(lengths)) * weight).sum()

    def by_loops(params, x):
        return sum(
            aggregate({name: p["kernel"][part] for name, p in params.items()}, x[n, :length, part])
            @ weight[n, part]
            for n, length in enumerate(lengths)
            for part in range(3)
        )

    # XLA may lose the gradient of a maximum where it compiles it, so the loops are not compiled.
    found = jax.jit(jax.value_and_grad(ours, (0, 1)))(params, x)
    expected = jax.value_and_grad(by_loops, (0, 1))(params, x)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=2e-5), found, expected)
