"""Eight simulated devices for every test, and flags as a command would have them."""

import os

os.environ["XLA_FLAGS"] = (
    os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=8"
)
# XLA runs collectives of one device side by side: with a thread a device they wait for each other.
os.environ["NPROC"] = "32"

os.environ["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "1"  # tests compile longer than they compute

from absl import flags

flags.FLAGS.mark_as_parsed()  # grain reads absl flags
