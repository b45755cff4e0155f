//! The compiled half of the Python package: arrays and dictionaries in, calls of the library, arrays out.
//!
//! Defaults, documentation and names are in the Python half; what experiments mean is decided by the library alone.

mod arrays;
mod distances;
mod equation;
mod errors;
mod holder;
mod interrupt;
mod laws;
mod machines;
mod problem;
mod runs;
mod saved;
mod simulation;
mod start;

use pyo3::prelude::*;

#[pymodule]
mod _native {
    #[pymodule_export]
    use crate::{
        distances::{energy_distance, mmd, sinkhorn_divergence, sliced_wasserstein, wasserstein},
        equation::Equation,
        errors::{ExperimentError, RunError},
        laws::{laws, try_law},
        machines::{check, devices},
        runs::{animate, draw, resume, run, sweep},
        simulation::Simulation,
        start::start,
    };
    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
