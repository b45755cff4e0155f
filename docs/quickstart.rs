//! Runs the experiment of the first picture into a folder, with pictures.

use std::{error::Error, ops::ControlFlow, path::Path};

use tokenfield::{plot, prelude::*};

pub fn main() -> Result<(), Box<dyn Error>> {
    let experiment = Experiment::read("assets/experiments/clusters.toml".as_ref(), &[])?;
    let machine = pollster::block_on(Machine::open(Choice::Auto, Precision::Single))?;
    let claim = Claim::vacant(Path::new("runs"), experiment.name())?;
    let folder = pollster::block_on(run(&experiment, claim, &machine, |_| ControlFlow::Continue(())))?;
    plot::draw(&folder)?;
    println!("{}", folder.join("tokens.png").display());
    Ok(())
}
