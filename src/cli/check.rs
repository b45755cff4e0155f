//! `tokenfield check`: a table of errors, one row for each backend and case.

use std::fmt;

use tokenfield::{
    backend::{BackendError, Precision, adapter::Choice, cpu, machine::Device},
    check::{Case, Errors, cases, compare},
};

use super::{
    error::CommandError,
    output::{data, talk},
};

pub fn execute() -> Result<(), CommandError> {
    let cases = cases()?;
    let mut report = Report { failures: 0, printed: Ok(()) };
    report.line(format_args!(
        "{:12} {:26} {:>6} {:>4} {:>10} {:>10} {:>10}",
        "backend", "case", "n", "d", "velocity", "energy", "bound"
    ));
    for case in &cases {
        report.row(
            "cpu single",
            case,
            pollster::block_on(compare(&case.problem, cpu::single(&case.problem)?.as_mut()))?,
        );
        report.row(
            "cpu double",
            case,
            pollster::block_on(compare(&case.problem, cpu::double(&case.problem)?.as_mut()))?,
        );
    }
    match pollster::block_on(Device::open(Choice::Best, Precision::Single)) {
        Ok(device) => {
            talk(format_args!("gpu: {}", device.summary().name));
            for case in &cases {
                report.row("gpu single", case, pollster::block_on(on_gpu(&device, case))?);
            }
        }
        Err(BackendError::NoAdapter(_)) => talk(format_args!("gpu: no adapter on this machine, nothing to check")),
        Err(error @ BackendError::BuiltWithoutGpu) => talk(format_args!("gpu: nothing to check: {error}")),
        Err(error) => return Err(error.into()),
    }
    match report.failures {
        0 => report.printed,
        count => Err(CommandError::Failed(format!("{count} checks are above their bound"))),
    }
}

async fn on_gpu(device: &Device, case: &Case) -> Result<Errors, BackendError> {
    compare(&case.problem, device.backend(&case.problem).await?.as_mut()).await
}

/// The table as it is printed, and its verdict, which counts whether anybody reads the table or not.
struct Report {
    failures: usize,
    printed: Result<(), CommandError>,
}

impl Report {
    fn line(&mut self, line: fmt::Arguments) {
        if self.printed.is_ok() {
            self.printed = data(line);
        }
    }

    /// Prints one row and counts its failure.
    fn row(&mut self, backend: &str, case: &Case, errors: Errors) {
        let shape = case.problem.tokens.shape;
        let verdict = if errors.acceptable() { "" } else { "  ABOVE" };
        self.failures += usize::from(!errors.acceptable());
        self.line(format_args!(
            "{backend:12} {:26} {:>6} {:>4} {:>10.1e} {:>10.1e} {:>10.1e}{verdict}",
            case.name, shape.count, shape.dim, errors.velocity, errors.log_energy, errors.tolerance
        ));
    }
}
