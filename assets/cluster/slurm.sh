#!/bin/bash
# sbatch assets/cluster/slurm.sh FILE FOLDER: eight workers on one sweep.
# A worker that is stopped before its end leaves a checkpoint and exits with 75, or 138 where the signal below killed it while it began, and
# is queued again.
#SBATCH --job-name=tokenfield
#SBATCH --array=1-8
#SBATCH --cpus-per-task=2
#SBATCH --time=04:00:00
#SBATCH --signal=USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append

export RAYON_NUM_THREADS="$SLURM_CPUS_PER_TASK"
# On a file system without locks: --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" instead of --worker.
status=0
srun tokenfield sweep "$1" --out "$2" --worker --checkpoint 10m || status=$?
if [ "$status" = 75 ] || [ "$status" = 138 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
