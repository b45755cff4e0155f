//! Follows the energy of tokens on the sphere while they cluster, without any file.

use std::error::Error;

use tokenfield::prelude::*;

pub fn main() -> Result<(), Box<dyn Error>> {
    let experiment = Experiment::parse(
        r#"
        tokens = { count = 200, dim = 3, seed = 7, initial = { law = "uniform" } }
        attention = { beta = 4.0, normalization = "softmax" }
        time = { scheme = "heun", step = 0.1, end = 10.0 }
        observe = { every = 1.0, quantities = ["energy"] }
        "#,
    )?;
    let problem = experiment.resolve()?;
    let mut backend = cpu::double(&problem)?;
    let mut energies = Vec::new();
    pollster::block_on(simulate(&problem, backend.as_mut(), |event| {
        if let simulate::Event::Sample(sample) = event {
            println!("t = {:4}  ln E = {:.6}", sample.time, sample.values[0]);
            energies.push(sample.values[0]);
        }
        Ok(())
    }))?;
    assert!(energies.is_sorted(), "the energy never decreases");
    Ok(())
}
