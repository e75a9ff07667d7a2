#!/usr/bin/env bash
# Trains on a SLURM cluster, one task per GPU:
#
#     sbatch [--nodes=2 --gres=gpu:8 --ntasks-per-node=8] scripts/slurm.sh \
#         --config configs/gaitbase.py:casia_b --config.data.root=/data/CASIA-B-pkl --workdir runs/x
#
# Arguments go to `python -m gaitjax.train`. Submit from the repository, with the environment active,
# and the same line again to go on where time ran out. The workdir must be on a disk that all nodes
# share, as must the cache ($XDG_CACHE_HOME) of the built-in data.
#
#SBATCH --job-name=gaitjax
#SBATCH --nodes=1
#SBATCH --gres=gpu:4
#SBATCH --ntasks-per-node=4
#SBATCH --cpus-per-task=8
#SBATCH --time=24:00:00
#SBATCH --output=slurm-%j.log
# Two minutes before the end each task is told to save and stop.
#SBATCH --signal=TERM@120
set -euo pipefail

refuse() {
  echo "slurm.sh: $1" >&2
  exit 1
}

[[ -n ${SLURM_JOB_ID:-} ]] || refuse "there is no job; submit this with sbatch"
# A task takes the GPU of its local number from all those of its node. --gpus-per-task would show
# each task only its own, as number 0, and all tasks but the first would fail.
[[ -z ${SLURM_GPUS_PER_TASK:-} ]] || refuse "--gpus-per-task is set; take --gres=gpu:N instead"
gpus=${SLURM_GPUS_ON_NODE:-$SLURM_NTASKS_PER_NODE}
[[ $gpus == "$SLURM_NTASKS_PER_NODE" ]] ||
  refuse "$SLURM_NTASKS_PER_NODE tasks for $gpus GPUs a node; --ntasks-per-node and --gres=gpu:N must agree"

# srun does not take over --cpus-per-task; and when one process fails, the others would wait for it.
exec srun --cpus-per-task="${SLURM_CPUS_PER_TASK:-1}" --gpu-bind=none --kill-on-bad-exit=1 \
  python -m gaitjax.train "$@"
