//! Errors of the library as exceptions.

use std::path::Path;

use pyo3::{
    PyErr, create_exception,
    exceptions::{PyKeyboardInterrupt, PyMemoryError, PyRuntimeError, PyValueError},
};
use tokenfield::{
    backend::{BackendError, machine::MachineError},
    experiment,
    papers::PapersError,
    plot::PlotError,
    record::RecordError,
    run,
    simulate::SimulateError,
    sweep::SweepError,
    transport::TransportError,
};

create_exception!(
    tokenfield,
    ExperimentError,
    PyValueError,
    "A problem that means nothing; the message names key, value and remedy."
);
create_exception!(tokenfield, RunError, PyRuntimeError, "A run that did not come to its end.");

/// What an error of the library is in Python.
pub(crate) trait Raised {
    fn raised(self) -> PyErr;
}

impl Raised for experiment::ExperimentError {
    fn raised(self) -> PyErr {
        ExperimentError::new_err(self.to_string())
    }
}

impl Raised for experiment::ArrayError {
    fn raised(self) -> PyErr {
        ExperimentError::new_err(self.to_string())
    }
}

impl Raised for BackendError {
    fn raised(self) -> PyErr {
        match self {
            BackendError::OutOfMemory { .. } | BackendError::Shortage(_) => PyMemoryError::new_err(self.to_string()),
            BackendError::Problem(_) => ExperimentError::new_err(self.to_string()),
            _ => RunError::new_err(self.to_string()),
        }
    }
}

impl Raised for MachineError {
    fn raised(self) -> PyErr {
        RunError::new_err(self.to_string())
    }
}

impl Raised for SimulateError {
    fn raised(self) -> PyErr {
        match self {
            SimulateError::Backend(error) => error.raised(),
            SimulateError::Observer(_) => PyKeyboardInterrupt::new_err(()),
            _ => RunError::new_err(self.to_string()),
        }
    }
}

impl Raised for TransportError {
    fn raised(self) -> PyErr {
        PyValueError::new_err(self.to_string())
    }
}

impl Raised for RecordError {
    fn raised(self) -> PyErr {
        RunError::new_err(self.to_string())
    }
}

impl Raised for run::RunError {
    fn raised(self) -> PyErr {
        match self {
            run::RunError::Experiment(error) => error.raised(),
            run::RunError::Backend(error) => error.raised(),
            run::RunError::OtherMachine { path, then, now } => other_machine("resume", &path, &then, &now),
            error => RunError::new_err(error.to_string()),
        }
    }
}

/// What is raised where `function` is not told to go on with what another machine has computed.
pub(crate) fn other_machine(function: &str, path: &Path, then: &str, now: &str) -> PyErr {
    let path = path.display();
    RunError::new_err(format!(
        "{path}: it was computed on {then}, and this is {now}, where it would go on with other bytes; name the device, as in \
         {function}({path:?}, device=\"auto\"), or begin again"
    ))
}

impl Raised for PlotError {
    fn raised(self) -> PyErr {
        RunError::new_err(self.to_string())
    }
}

impl Raised for SweepError {
    fn raised(self) -> PyErr {
        match self {
            SweepError::Experiment(error) => error.raised(),
            SweepError::Run(error) => error.raised(),
            error => RunError::new_err(error.to_string()),
        }
    }
}

impl Raised for PapersError {
    fn raised(self) -> PyErr {
        match self {
            PapersError::Experiment(error) => error.raised(),
            PapersError::Sweep(error) => error.raised(),
            error => PyValueError::new_err(error.to_string()),
        }
    }
}
