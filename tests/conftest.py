"""Eight simulated devices for every test, and flags as a command would have them."""

import os
import shutil
import subprocess

import pytest

os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)
# XLA runs collectives of one device side by side: with a thread a device they wait for each other.
os.environ["NPROC"] = "32"

# Tests compile longer than they compute. scripts/gpu_check.sh sets 0, as it is in training.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import jax
from absl import flags

flags.FLAGS.mark_as_parsed()  # grain reads absl flags


@pytest.fixture(scope="session")
def gpus():
    """All NVIDIA GPUs, at least one."""
    try:
        return jax.devices("cuda")
    except RuntimeError:
        pytest.skip("JAX sees no NVIDIA GPU")


@pytest.fixture
def small_disk(request, tmp_path):
    """A disk of its own, of the size that the test is given indirectly, such as '400k'."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    made = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={request.param}", "none", disk]
    )
    if not made or made.returncode:
        pytest.skip("no right to mount a small disk")
    yield disk
    subprocess.run([shutil.which("umount"), "-l", disk], check=True)
