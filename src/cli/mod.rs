//! The commands: they translate what was typed into calls of the library, and its answers into text and exit codes.

mod bench;
mod check;
mod devices;
mod error;
mod machine;
pub mod output;
mod papers;
mod progress;
mod ranks;
mod run;
mod signals;
mod sweep;
mod table;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use self::error::CommandError;

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
    /// Go on with a run that was stopped or killed, from its last checkpoint.
    Resume(run::Resume),
    /// Run every combination of the axes of a sweep file, and fit the rates it asks for; a stopped sweep goes on.
    Sweep(sweep::Sweep),
    /// Show laws of the literature: what they predict, and what is measured here.
    Papers(papers::Papers),
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
            Command::Resume(resume) => resume.execute(),
            Command::Sweep(sweep) => sweep.execute(),
            Command::Papers(papers) => papers.execute(),
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
