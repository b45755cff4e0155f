//! Runs an experiment beside its limit into a folder, with progress, and ends it when enough has been seen.

use std::{error::Error, ops::ControlFlow, path::Path};

use tokenfield::prelude::*;

const EXPERIMENT: &str = r#"
name = "chaos"
tokens = { count = 500, dim = 2, seed = 1, initial = { law = "uniform" } }
attention = { beta = 2.0, normalization = "softmax" }
time = { scheme = "rk4", step = 0.05, end = 1.0 }
observe = { every = 0.1, quantities = ["w1_reference", "coupling_error"] }
reference = { kind = "quadrature" }
"#;

pub fn main() -> Result<(), Box<dyn Error>> {
    let experiment = Experiment::parse(EXPERIMENT)?;
    let machine = pollster::block_on(Machine::open(Choice::Cpu, Precision::Double))?;
    let claim = Claim::vacant(Path::new("runs"), experiment.name())?;
    let folder = pollster::block_on(run(&experiment, claim, &machine, |event| match event {
        run::Event::Sample(sample) if sample.values[0] > 1.0 => ControlFlow::Break(()),
        run::Event::Steps(steps) => {
            println!("{steps} steps");
            ControlFlow::Continue(())
        }
        _ => ControlFlow::Continue(()),
    }))?;
    println!("{}", folder.display());
    Ok(())
}
