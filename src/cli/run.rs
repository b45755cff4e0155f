//! `tokenfield run`: one experiment, from its file to its run folder.

use std::path::{Path, PathBuf};

use clap::Args;
use tokenfield::{
    experiment::{Experiment, Override},
    record::Claim,
    run::{Part, run_parts},
};

use super::{
    error::CommandError,
    machine::MachineChoice,
    output::{name, talk},
    progress::Progress,
};

#[derive(Args)]
pub struct Run {
    /// The experiment file.
    file: PathBuf,
    /// The run folder; it must be absent or empty, or hold what the same experiment left before its end [default: runs/NAME, numbered if taken].
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineChoice,
    /// Set a key of the experiment, as in attention.beta=2.0; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
    /// Leave the pictures undrawn; `tokenfield plot` draws them later.
    #[arg(long)]
    no_plot: bool,
}

impl Run {
    pub fn execute(self) -> Result<(), CommandError> {
        let experiment = Experiment::read(&self.file, &self.overrides)?;
        let problem = experiment.resolve()?;
        let machine = self.machine.open()?;
        let claim = match &self.out {
            Some(path) => Claim::for_run(path, &experiment.to_toml()?, machine.precision())?,
            None => Claim::vacant(Path::new("runs"), experiment.name())?,
        };
        if let Some(standing) = claim.replaces() {
            talk(format_args!(
                "{} holds what the same experiment left ({standing}); it begins again",
                claim.path().display()
            ));
        }
        let path = claim.path().to_owned();
        let parts = vec![Part { experiment: &experiment, claim: Some(claim) }];
        let mut progress = Progress::default();
        pollster::block_on(run_parts(parts, &problem, &machine, |event| progress.show(event)))?;
        name(&path);
        if !self.no_plot {
            let failed = |error| CommandError::Failed(format!("{error} (the run in {} is complete)", path.display()));
            tokenfield::plot::draw(&path).map_err(failed)?;
        }
        Ok(())
    }
}
