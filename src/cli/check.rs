//! `tokenfield check`: a table of errors, one row for each backend and case.

use tokenfield::{
    backend::{BackendError, Precision, cpu::Cpu, gpu},
    check::{Case, Errors, cases, compare},
};

use super::CommandError;

pub fn execute() -> Result<(), CommandError> {
    let cases = cases()?;
    println!(
        "{:12} {:26} {:>6} {:>4} {:>10} {:>10} {:>10}",
        "backend", "case", "n", "d", "velocity", "energy", "bound"
    );
    let mut failures = 0;
    for case in &cases {
        let single = pollster::block_on(compare(&case.problem, Cpu::<f32>::new(&case.problem)?))?;
        let double = pollster::block_on(compare(&case.problem, Cpu::<f64>::new(&case.problem)?))?;
        failures += row("cpu single", case, single) + row("cpu double", case, double);
    }
    match pollster::block_on(gpu::Device::open(gpu::Choice::Best, Precision::Single)) {
        Ok(device) => {
            eprintln!("gpu: {}", device.summary().name);
            for case in &cases {
                failures += row("gpu single", case, pollster::block_on(on_gpu(&device, case))?);
            }
        }
        Err(BackendError::NoAdapter(_)) => eprintln!("gpu: no adapter on this machine, nothing to check"),
        Err(error) => return Err(error.into()),
    }
    match failures {
        0 => Ok(()),
        count => Err(CommandError::Failed(format!("{count} checks are above their bound"))),
    }
}

async fn on_gpu(device: &gpu::Device, case: &Case) -> Result<Errors, BackendError> {
    compare(&case.problem, gpu::Gpu::new(device, &case.problem).await?).await
}

/// Prints one row and counts its failure.
fn row(backend: &str, case: &Case, errors: Errors) -> usize {
    let shape = case.problem.tokens.shape;
    let verdict = if errors.acceptable() { "" } else { "  ABOVE" };
    println!(
        "{backend:12} {:26} {:>6} {:>4} {:>10.1e} {:>10.1e} {:>10.1e}{verdict}",
        case.name, shape.count, shape.dim, errors.velocity, errors.log_energy, errors.tolerance
    );
    usize::from(!errors.acceptable())
}
