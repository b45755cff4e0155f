#!/bin/bash
# assets/cluster/gnu-parallel.sh FILE FOLDER COUNT: so many workers on one sweep, on this machine.
# A worker that fails or is killed is started again, twice at most.
set -euo pipefail
export RAYON_NUM_THREADS="${RAYON_NUM_THREADS:-$(($(nproc) / $3 > 0 ? $(nproc) / $3 : 1))}"
seq "$3" | parallel --jobs "$3" --retries 3 -N0 --line-buffer --tag tokenfield sweep "$1" --out "$2" --worker
