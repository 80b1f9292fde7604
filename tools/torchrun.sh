#!/usr/bin/env bash
# Used by dist_train.sh and dist_test.sh: torchrun.sh PROCESSES SCRIPT [arguments], placed by NNODES, NODE_RANK,
# MASTER_ADDR and PORT. On one machine a free port is taken, so that several runs do not collide.
set -euo pipefail
NNODES=${NNODES:-1}
if [ -z "${PORT:-}" ]; then
    if [ "$NNODES" = 1 ]; then
        PORT=$(python -c "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print(s.getsockname()[1])")
    else
        PORT=29500
    fi
fi
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}
export PYTHONPATH="$(cd "$(dirname "$0")/.." && pwd):${PYTHONPATH:-}"
exec python -m torch.distributed.run --nproc-per-node="$1" --nnodes="$NNODES" --node-rank="${NODE_RANK:-0}" \
    --master-addr="${MASTER_ADDR:-127.0.0.1}" --master-port="$PORT" "${@:2}"
