//! The rate of propagation of chaos, by a sweep over the number of tokens that goes on where it was stopped.

use std::{error::Error, fs, ops::ControlFlow, path::Path};

use tokenfield::prelude::*;

const BASE: &str = r#"
tokens = { count = 100, dim = 2, replicas = 16, initial = { law = "uniform" } }
attention = { beta = 1.0, normalization = "softmax" }
time = { scheme = "rk4", step = 0.1, end = 1.0 }
observe = { every = 1.0, quantities = ["coupling_error"] }
reference = { kind = "quadrature" }
"#;

const SWEEP: &str = r#"
name = "rate"
base = "base.toml"
axes = { "tokens.count" = [64, 256, 1024] }
[[fit]]
quantity = "coupling_error"
variable = "tokens.count"
expected = -0.5
"#;

pub fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("runs/rate");
    fs::create_dir_all("runs")?;
    fs::write("runs/base.toml", BASE)?;
    fs::write("runs/rate.toml", SWEEP)?;
    let file = SweepFile::read(Path::new("runs/rate.toml"), &[])?;
    let machine = pollster::block_on(Machine::open(Choice::Cpu, Precision::Double))?;
    pollster::block_on(sweep::run(&file, folder, sweep::Share::default(), &machine, |_| ControlFlow::Continue(())))?;
    println!("{}", fs::read_to_string(folder.join("rates.csv"))?);
    Ok(())
}
