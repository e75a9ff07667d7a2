"""BigGait's own parts. The whole is compared with OpenGait's in tests/golden."""

import jax
import jax.numpy as jnp
import narrow
import numpy as np
import pytest

from gaitjax.errors import UserError
from gaitjax.interop import files, opengait
from gaitjax.models import biggait
from gaitjax.models.layers import vision
from gaitjax.training import mesh as meshes
from gaitjax.training import transfer


@pytest.mark.parametrize("ratio", [0.3, 0.5, 0.83])
def test_boxes_get_their_shape_back_as_pytorch_resizes_them(ratio):
    torch = pytest.importorskip("torch")
    box = np.random.default_rng(0).standard_normal((20, 20, 3), "f4")
    wide = int(256 * np.float32(ratio))
    resized = torch.nn.functional.interpolate(
        torch.from_numpy(box).permute(2, 0, 1)[None], (256, wide), mode="bilinear"
    )[0].permute(1, 2, 0)
    left = (128 - wide) // 2
    expected = np.zeros((256, 128, 3), "f4")
    columns = slice(max(left, 0), max(left, 0) + min(wide, 128))
    expected[:, columns] = resized[:, max(-left, 0) :][:, :128]
    found = vision.unstretch(box, jnp.float32(ratio))
    np.testing.assert_allclose(found, expected, atol=1e-5)
    inside = vision.inside_box(jnp.float32(ratio), 256, 128)
    np.testing.assert_array_equal(inside, np.any(expected != 0, -1))


def test_a_person_is_the_share_that_keeps_off_the_ends_and_has_no_holes():
    person = np.zeros((2, 24, 12), "f4")
    person[:, 6:18, 3:9] = 0.9
    person[:, 11:13, 5:7] = 0.2  # a hole
    shares = np.stack([person, 1 - person], -1)
    found = biggait.closed(biggait.body(jnp.array([shares[0], shares[1, ..., ::-1]])))
    np.testing.assert_array_equal(found[0], found[1])
    assert (np.asarray(found[0, 8:16, 5:7]) == 1).all()
    assert found[0, 0].max() == 0


def test_a_fifth_of_the_sequences_lack_one_branch_in_training():
    model, variables = narrow.network("biggait", dropout=0.0)
    inputs, lengths = narrow.sequences("biggait", 5, 2), jnp.full(5, 2)

    @jax.jit
    def terms(**options):
        output, _ = model.apply(
            variables, inputs, lengths, train=True, mutable=["batch_stats"], **options
        )
        return output.terms["triplet"]["embeddings"]

    drawn = terms(rngs={"dropout": jax.random.key(0)})
    same = [
        np.array_equal(drawn, terms(draws={"blank": jnp.zeros(5, int).at[row].set(branch)}))
        for row in range(5)
        for branch in (1, 2)
    ]
    assert sum(same) == 1


@pytest.mark.parametrize(
    ("network", "vision", "token"),
    [
        ("biggait", "backbone.", "cls_token"),
        ("biggergait", "Backbone.", "embeddings.cls_token"),
    ],
)
def test_published_weights_fill_the_part_that_they_fit(network, vision, token, tmp_path):
    _, variables = narrow.network(network)
    variables = jax.device_put(variables, meshes.replicated(meshes.all_devices()))
    state = opengait.write(network, jax.tree.map(lambda x: x + 1, variables))
    prefix = {"vision": vision, "mask": "Mask_Branch."}
    pytest.importorskip("torch")
    for part, start in prefix.items():
        path = tmp_path / f"{part}.pt"
        files.write(path, {k[len(start) :]: x for k, x in state.items() if k.startswith(start)}, 0)
        taken = transfer.take(variables, transfer.plan(network, variables, path))
        moved = jax.tree.map(lambda a, b: float(abs(a - b).max(initial=0)), taken, variables)
        for tree in moved.values():
            for name, change in tree.items():
                assert set(jax.tree.leaves(change)) == ({1.0} if name == part else {0.0})
    del state[vision + token]
    start = len(vision)
    files.write(path, {k[start:]: x for k, x in state.items() if k.startswith(vision)}, 0)
    with pytest.raises(UserError, match=rf"mask\.pt: .*{network}'s vision: - {token} is missing"):
        transfer.plan(network, variables, path)
    files.write(path, {f"Gait.{key}": x for key, x in state.items()}, 0)
    with pytest.raises(
        UserError, match=rf"nothing of {network}'s mask or vision; .* whole network"
    ):
        transfer.plan(network, variables, path)
    with pytest.raises(UserError, match="network 'gaitset' has no part that"):
        transfer.plan("gaitset", variables, path)
