//! Where tokens start.

use pyo3::prelude::*;
use tokenfield::{backend::Precision, tokens::Shape};

use crate::{
    arrays::output,
    errors::Raised,
    interrupt::{Waiting, interruptible},
    machines::require_same_process,
    problem,
};

/// The tokens of a problem at time zero, of shape (replicas, n, d), in double precision.
#[pyfunction]
pub(crate) fn start<'py>(py: Python<'py>, problem: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    require_same_process()?;
    let experiment = problem::experiment(problem, None)?;
    let resolve = move |_: &Waiting| experiment.resolve().map_err(Raised::raised);
    let problem = interruptible(py, || (), |_| Ok(()), resolve)??;
    let Shape { replicas, count, dim, .. } = problem.tokens.shape;
    output(py, problem.tokens.coordinates, &[replicas, count, dim], Precision::Double)
}
