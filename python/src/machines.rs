//! Who does the arithmetic: graphics devices and CPUs, opened once for a process.

use std::sync::{Mutex, OnceLock, PoisonError};

use pyo3::{
    exceptions::{PyRuntimeError, PyValueError},
    prelude::*,
    types::PyDict,
};
use tokenfield::{
    backend::{
        Precision, cpu,
        machine::{Choice, Machine, adapters},
    },
    check::{Errors, cases, compare},
};

use crate::errors::Raised;

/// Refuses to go on in a process that was forked, in which the threads of the parent are missing.
pub(crate) fn require_same_process() -> PyResult<()> {
    static FIRST: OnceLock<u32> = OnceLock::new();
    match *FIRST.get_or_init(std::process::id) == std::process::id() {
        true => Ok(()),
        false => Err(PyRuntimeError::new_err(
            "this process was forked from one that has used tokenfield, and its threads are missing here; \
             call multiprocessing.set_start_method(\"spawn\") first",
        )),
    }
}

/// Who does the arithmetic; opened once for each choice.
pub(crate) fn machine(device: &str, precision: Precision) -> PyResult<Machine> {
    static OPEN: Mutex<Vec<(String, Precision, Machine)>> = Mutex::new(Vec::new());
    require_same_process()?;
    let choice = match device {
        "auto" => Choice::Auto,
        "cpu" => Choice::Cpu,
        "gpu" => Choice::Gpu,
        "reference" => Choice::Reference,
        other => {
            let problem = format!("device: expected \"auto\", \"cpu\", \"gpu\" or \"reference\", got \"{other}\"");
            return Err(PyValueError::new_err(problem));
        }
    };
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((.., machine)) = open.iter().find(|(name, of, _)| name == device && *of == precision) {
        return Ok(machine.clone());
    }
    let machine = pollster::block_on(Machine::open(choice, precision)).map_err(Raised::raised)?;
    open.push((device.to_owned(), precision, machine.clone()));
    Ok(machine)
}

pub(crate) fn precision(word: &str) -> PyResult<Precision> {
    match word {
        "single" => Ok(Precision::Single),
        "double" => Ok(Precision::Double),
        "half" => Ok(Precision::Half),
        other => {
            let problem = format!("precision: expected \"single\", \"double\" or \"half\", got \"{other}\"");
            Err(PyValueError::new_err(problem))
        }
    }
}

/// The processor and every graphics adapter, a dictionary each.
#[pyfunction]
pub(crate) fn devices(py: Python<'_>) -> PyResult<Vec<Bound<'_, PyDict>>> {
    require_same_process()?;
    let entry = |device: &str, name: &str, api: &str, kind: &str, driver: &str| {
        let entry = PyDict::new(py);
        for (key, value) in [("device", device), ("name", name), ("api", api), ("kind", kind), ("driver", driver)] {
            entry.set_item(key, value)?;
        }
        PyResult::Ok(entry)
    };
    let mut devices = vec![entry("cpu", &cpu::describe(), "", "CPU", "")?];
    for adapter in pollster::block_on(adapters()) {
        devices.push(entry("gpu", &adapter.name, &adapter.api, adapter.kind.name(), &adapter.driver)?);
    }
    Ok(devices)
}

/// The errors of a machine in every case of the library's self-test, a dictionary each.
#[pyfunction]
pub(crate) fn check<'py>(py: Python<'py>, device: &str, precision: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
    let machine = machine(device, self::precision(precision)?)?;
    let mut rows = Vec::new();
    for case in cases().map_err(Raised::raised)? {
        py.check_signals()?;
        let compared = || {
            pollster::block_on(async { compare(&case.problem, machine.backend(&case.problem).await?.as_mut()).await })
        };
        let errors = py.detach(compared).map_err(Raised::raised)?;
        let Errors { velocity, log_energy, tolerance, .. } = errors;
        let row = PyDict::new(py);
        row.set_item("case", case.name)?;
        row.set_item("velocity", velocity)?;
        row.set_item("log_energy", log_energy)?;
        row.set_item("tolerance", tolerance)?;
        row.set_item("holds", errors.acceptable())?;
        rows.push(row);
    }
    Ok(rows)
}
