"""When a run is one of several processes, and how rows are shared."""

import jax
import numpy as np
import pytest
from jax.sharding import AxisType

from gaitjax.errors import UserError
from gaitjax.training import mesh as meshes


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, False),
        ({"SLURM_JOB_ID": "1", "SLURM_NTASKS": "8"}, False),  # a shell in an allocation
        ({"SLURM_STEP_NUM_TASKS": "1"}, False),
        ({"SLURM_STEP_NUM_TASKS": "8"}, True),
        ({"OMPI_COMM_WORLD_SIZE": "1"}, False),
        ({"OMPI_COMM_WORLD_SIZE": "2"}, True),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, False),  # any pod
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "JOB_COMPLETION_INDEX": "0"}, True),
    ],
)
def test_in_cluster(environment, expected):
    assert meshes.in_cluster(environment) is expected


def test_a_batch_must_be_divisible_by_the_devices():
    mesh = meshes.all_devices()
    meshes.check_batch(16, mesh)
    with pytest.raises(UserError, match=r"batch of 12 .* 8 devices"):
        meshes.check_batch(12, mesh)


def test_many_cpus_are_not_one():
    assert not meshes.is_one_cpu(meshes.all_devices())
    one = jax.make_mesh((1,), ("data",), axis_types=(AxisType.Auto,), devices=jax.devices()[:1])
    assert meshes.is_one_cpu(one)


def test_rows_lie_over_all_devices_in_their_order():
    mesh = meshes.all_devices()
    placed = meshes.put_rows({"x": np.arange(16)}, mesh)["x"]
    assert placed.sharding.num_devices == 8
    parts = [shard.data.tolist() for shard in placed.addressable_shards]
    assert parts == [[2 * i, 2 * i + 1] for i in range(8)]


@pytest.mark.parametrize("rows", [1, 5, 6])
def test_shares_are_put_together_in_order(rows, monkeypatch):
    """Three processes, one after the other."""
    whole = np.arange(2 * rows).reshape(rows, 2)
    monkeypatch.setattr(jax, "process_count", lambda: 3)
    shares = []
    for process in range(3):
        monkeypatch.setattr(jax, "process_index", lambda process=process: process)
        shares.append(whole[meshes.share_of(rows)])

    sent = []
    monkeypatch.setattr(
        meshes.multihost_utils, "process_allgather", lambda x, tiled: sent.append(x) or x[None]
    )
    for share in shares:
        meshes.gather_shares(share, rows)
    everyone = np.stack(sent)
    monkeypatch.setattr(meshes.multihost_utils, "process_allgather", lambda x, tiled: everyone)
    for share in shares:
        np.testing.assert_array_equal(meshes.gather_shares(share, rows), whole)
