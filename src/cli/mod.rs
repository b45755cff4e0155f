//! The commands: they translate what was typed into calls of the library, and its answers into text and exit codes.

mod bench;
mod check;
mod devices;
mod folders;
mod machine;
mod run;
mod sweep;
mod table;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tokenfield::{backend::BackendError, experiment::ExperimentError, plot::PlotError, record::RecordError};

/// Evolve tokens through the mean-field dynamics of Transformers.
#[derive(Parser)]
#[command(version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run an experiment and leave a run folder with samples, tokens, a manifest and pictures.
    Run(run::Run),
    /// Run every combination of the axes of a sweep file, and fit the rates it asks for; a stopped sweep goes on.
    Sweep(sweep::Sweep),
    /// Draw the pictures of a run or sweep folder.
    Plot {
        /// The run or sweep folder.
        folder: PathBuf,
        /// Draw the tokens of a run over time instead, as an animation; its observe.quantities must have "tokens".
        #[arg(long)]
        animate: bool,
    },
    /// Hold every backend on this machine against the f64 reference.
    Check,
    /// Measure how fast this machine is, and how near to its limit.
    Bench(bench::Bench),
    /// List the adapters of this machine, their limits, and which one `--backend auto` takes.
    Devices,
}

impl Arguments {
    pub fn execute(self) -> Result<(), CommandError> {
        match self.command {
            Command::Run(run) => run.execute(),
            Command::Sweep(sweep) => sweep.execute(),
            Command::Plot { folder, animate: true } => {
                println!("{}", tokenfield::plot::animate(&folder)?.display());
                Ok(())
            }
            Command::Plot { folder, animate: false } => {
                let pictures = tokenfield::plot::draw(&folder)?;
                if pictures.is_empty() {
                    eprintln!(
                        "no picture suits this sweep: it has no slope, and not one or two keys of numbers that vary; \
                         its cells have pictures of their own"
                    );
                }
                pictures.iter().for_each(|picture| println!("{}", picture.display()));
                Ok(())
            }
            Command::Check => check::execute(),
            Command::Bench(bench) => bench.execute(),
            Command::Devices => devices::execute(),
        }
    }
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error("{0}")]
    Input(String),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("{0}")]
    Failed(String),
}

impl CommandError {
    /// 2 where the input is wrong and nothing was done, 1 where the work failed.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Self::Experiment(_) | Self::Input(_) | Self::Record(_) | Self::Plot(_) => ExitCode::from(2),
            Self::Backend(BackendError::TooManyHarmonics | BackendError::Shortage(_)) => ExitCode::from(2),
            Self::Backend(_) | Self::Failed(_) => ExitCode::from(1),
        }
    }
}
