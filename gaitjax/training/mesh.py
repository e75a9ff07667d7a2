"""All devices of all hosts as one mesh, and arrays that lie over it."""

import os
from collections.abc import Mapping
from typing import Any, TypeVar

import jax
import numpy as np
from absl import flags
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from gaitjax.errors import UserError

Tree = TypeVar("Tree")

COORDINATOR = flags.DEFINE_string("coordinator", None, "host:port of process 0 of a cluster")
PROCESSES = flags.DEFINE_integer("processes", None, "how many processes the cluster has")
PROCESS = flags.DEFINE_integer("process", None, "which of them this one is, from 0")


def initialize() -> None:
    """Joins the other processes where flags or a cluster (SLURM, Open MPI, Kubernetes) say so.

    A run of one process opens no socket. Must be called before anything else touches JAX.

    Raises:
        UserError: if only some of the three flags are given.
    """
    given = (COORDINATOR.value, PROCESSES.value, PROCESS.value)
    if any(value is not None for value in given):
        if any(value is None for value in given):
            raise UserError("--coordinator, --processes and --process go together: give all three")
        jax.distributed.initialize(*given)
    elif in_cluster(os.environ):
        jax.distributed.initialize()


def in_cluster(environment: Mapping[str, str]) -> bool:
    """Whether the environment is that of one of several processes of a job.

    SLURM: of a step that `srun` started; a shell in an allocation is not one.
    """
    sizes = ("OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS")
    if any(int(environment.get(name) or 1) > 1 for name in sizes):
        return True
    return "KUBERNETES_SERVICE_HOST" in environment and "JOB_COMPLETION_INDEX" in environment


def all_devices() -> Mesh:
    """One axis, 'data', over all devices of all processes."""
    return jax.make_mesh((jax.device_count(),), ("data",), axis_types=(AxisType.Auto,))


def local_devices() -> Mesh:
    """One axis, 'data', over this process's devices."""
    return jax.make_mesh(
        (jax.local_device_count(),),
        ("data",),
        axis_types=(AxisType.Auto,),
        devices=jax.local_devices(),
    )


def is_one_cpu(mesh: Mesh) -> bool:
    """Whether the mesh is a single CPU, on which rows are best worked on one after another."""
    return mesh.size == 1 and mesh.devices.item().platform == "cpu"


def split(mesh: Mesh) -> NamedSharding:
    """Rows over the devices."""
    return NamedSharding(mesh, PartitionSpec("data"))


def replicated(mesh: Mesh) -> NamedSharding:
    """Everything on every device."""
    return NamedSharding(mesh, PartitionSpec())


def check_batch(rows: int, mesh: Mesh) -> None:
    """Refuses a batch that the devices cannot share evenly.

    Raises:
        UserError: names the two numbers.
    """
    if rows % mesh.size:
        raise UserError(
            f"the batch of {rows} sequences (config.data.sampler: identities x sequences) is not "
            f"divisible by {mesh.size} devices; choose numbers whose product is a multiple of it"
        )


def put_rows(tree: Tree, mesh: Mesh) -> Tree:
    """This process's rows of every array, as a part of arrays that lie over all devices."""
    sharding = split(mesh)
    placed: Tree = jax.tree.map(lambda x: jax.make_array_from_process_local_data(sharding, x), tree)
    return placed


def share_of(rows: int) -> np.ndarray:
    """The rows that fall to this process when all processes share them."""
    return np.arange(jax.process_index(), rows, jax.process_count())


def gather_shares(share: np.ndarray, rows: int) -> np.ndarray:
    """The arrays [len(share_of(rows)), ...] of all processes, put together to [rows, ...]."""
    processes = jax.process_count()
    if processes == 1:
        return share
    longest = -(-rows // processes)
    padded = np.zeros((longest, *share.shape[1:]), share.dtype)
    padded[: len(share)] = share
    with jax.enable_x64(True):  # else float64 would come back as float32
        gathered: Any = multihost_utils.process_allgather(padded, tiled=False)
    return np.asarray(gathered).swapaxes(0, 1).reshape(-1, *share.shape[1:])[:rows]


def wait_for_all(name: str) -> None:
    """Returns when every process has come here; `name` is this place's own."""
    if jax.process_count() > 1:
        multihost_utils.sync_global_devices(name)


def stop_together(stop: bool, step: int) -> bool:
    """Whether any process was asked to stop; all of them hear of it at the same step."""
    if jax.process_count() == 1:
        return stop
    return bool(multihost_utils.reached_preemption_sync_point(step))
