#!/usr/bin/env bash
# Used by slurm_train.sh and slurm_test.sh: srun.sh PARTITION JOB_NAME SCRIPT [arguments], sized by GPUS,
# GPUS_PER_NODE and CPUS_PER_TASK.
set -euo pipefail
GPUS=${GPUS:-8}
GPUS_PER_NODE=${GPUS_PER_NODE:-$((GPUS < 8 ? GPUS : 8))}
export PYTHONPATH="$(cd "$(dirname "$0")/.." && pwd):${PYTHONPATH:-}"
# shellcheck disable=SC2086  # SRUN_ARGS is a list of options
exec srun --partition="$1" --job-name="$2" --gres="gpu:$GPUS_PER_NODE" --ntasks="$GPUS" \
    --ntasks-per-node="$GPUS_PER_NODE" --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    python -u "${@:3}"
