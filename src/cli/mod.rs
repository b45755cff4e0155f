//! The commands: they translate what was typed into calls of the library, and its answers into text and exit codes.

mod bench;
mod check;
mod devices;
mod machine;
pub mod output;
mod progress;
mod run;
mod sweep;
mod table;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};
use tokenfield::{
    backend::BackendError,
    experiment::ExperimentError,
    plot::PlotError,
    record::{RecordError, is_of_path},
    run::RunError,
    sweep::SweepError,
};

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
    /// Does what was typed.
    pub fn obey() -> Result<(), CommandError> {
        match Self::try_parse() {
            Ok(arguments) => arguments.execute(),
            Err(error) => output::of_clap(&error),
        }
    }

    fn execute(self) -> Result<(), CommandError> {
        match self.command {
            Command::Run(run) => run.execute(),
            Command::Sweep(sweep) => sweep.execute(),
            Command::Plot { folder, animate: true } => {
                output::name(&tokenfield::plot::animate(&folder)?);
                Ok(())
            }
            Command::Plot { folder, animate: false } => {
                let pictures = tokenfield::plot::draw(&folder)?;
                if pictures.is_empty() {
                    output::talk(format_args!(
                        "no picture suits this sweep: it has no slope, and not one or two keys of numbers that vary; \
                         its cells have pictures of their own"
                    ));
                }
                pictures.iter().for_each(|picture| output::name(picture));
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
    /// The disk is in the way of a run that has begun.
    #[error("{0}")]
    Disk(String),
    #[error("nobody reads what this command prints")]
    Unread,
    #[error("clap has said what is wrong with the command line")]
    Typed,
}

impl From<RunError> for CommandError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Experiment(error) => Self::Experiment(error),
            error @ RunError::Limit(_) => Self::Input(error.to_string()),
            RunError::Backend(error) => Self::Backend(error),
            RunError::Record(error) => Self::Record(error),
            RunError::Disk { message } => Self::Disk(message),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<SweepError> for CommandError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Experiment(error) => Self::Experiment(error),
            SweepError::Record(error) => Self::Record(error),
            SweepError::Run(error) => (*error).into(),
            error @ SweepError::Foreign { .. } => Self::Input(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl CommandError {
    /// 2 where the input is wrong and nothing was done, 1 where the work failed.
    pub fn exit_code(&self) -> ExitCode {
        let input = match self {
            Self::Unread => return ExitCode::SUCCESS,
            Self::Experiment(_) | Self::Input(_) | Self::Typed => true,
            Self::Record(RecordError::Occupied { .. } | RecordError::Held { .. } | RecordError::NoRoom { .. }) => {
                true
            }
            Self::Record(RecordError::Write { source, .. }) | Self::Plot(PlotError::Write { source, .. }) => {
                is_of_path(source)
            }
            Self::Plot(PlotError::Draw { .. }) => false,
            Self::Plot(_) => true,
            Self::Backend(error) => matches!(error, BackendError::TooManyHarmonics | BackendError::Shortage(_)),
            Self::Failed(_) | Self::Disk(_) => false,
        };
        ExitCode::from(if input { 2 } else { 1 })
    }

    /// Says what is wrong, if that is not said yet and anybody wants to know.
    pub fn report(&self) {
        match self {
            Self::Unread | Self::Typed => {}
            error => output::talk(format_args!("tokenfield: {error}")),
        }
    }
}
