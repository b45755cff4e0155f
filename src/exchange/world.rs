//! Was this process started as one of many?

/// What launchers of MPI tell each process: how many there are. MPICH and Slurm, Open MPI, and what speaks PMIx alone.
const SIZES: [&str; 3] = ["PMI_SIZE", "OMPI_COMM_WORLD_SIZE", "PMIX_SIZE"];

/// How many processes a launcher of MPI (`mpirun`, `srun`) has started together with this one, itself included; none where no
/// launcher says so.
pub fn launched() -> Option<usize> {
    SIZES.iter().find_map(|name| std::env::var(name).ok()?.parse().ok())
}
