#!/usr/bin/env bash
# What only a machine with an NVIDIA GPU can show: the GPU part of the tests, a benchmark, which is
# written to scripts/benchmarks/DEVICE.json, and a step of every network beside the CPU's. Arguments
# replace those of the benchmark:
#
#     scripts/gpu_check.sh [--config configs/gaitbase.py:casia_b --config.data.root=/data/CASIA-B-pkl]
#
# PYTHON names the interpreter, by default python.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python}

if ! found=$("$python" -c 'import jax; print(jax.devices("cuda")[0].device_kind)' 2>&1); then
  echo "gpu_check: JAX sees no NVIDIA GPU (${found##*$'\n'});" \
    "run this where nvidia-smi lists one, after pip install '.[cuda12,dev]'" >&2
  exit 1
fi
device=$(tail -n 1 <<<"$found")
output=scripts/benchmarks/$(tr -c '[:alnum:]\n' - <<<"$device").json

# GaitBase at its full size on the built-in walkers.
if (($# == 0)); then
  set -- --config configs/gaitbase.py:synthetic --config.dtype=bfloat16 \
    --config.model.backbone.channels='(64, 128, 256, 512)' --config.model.embedding=256 \
    --config.data.sampler.sequences=16 --config.data.frames.number=30
fi

export JAX_DISABLE_MOST_OPTIMIZATIONS=0 # as in training
tests=("$python" -m pytest -n 0 -m gpu) # one process: each takes most of a GPU's memory
"${tests[@]}" tests/gpu
mkdir -p scripts/benchmarks
"$python" scripts/benchmark.py "$@" --output "$output"
"${tests[@]}" tests/models
echo "gpu_check: passed on $device; see $output"
