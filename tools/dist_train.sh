#!/usr/bin/env bash
# Train with several processes on one or more machines:
#   bash tools/dist_train.sh CONFIG GPUS [arguments of tools/train.py]
# Without a GPU the processes use gloo on the CPU. Several machines: set NNODES,
# NODE_RANK, MASTER_ADDR and PORT on each.
set -euo pipefail
CONFIG=$1
GPUS=$2
# torchrun sets the same, with a warning.
export OMP_NUM_THREADS="${OMP_NUM_THREADS:-1}"
torchrun \
    --nnodes="${NNODES:-1}" \
    --node_rank="${NODE_RANK:-0}" \
    --master_addr="${MASTER_ADDR:-127.0.0.1}" \
    --master_port="${PORT:-29500}" \
    --nproc_per_node="$GPUS" \
    "$(dirname "$0")/train.py" "$CONFIG" --launcher pytorch "${@:3}"
