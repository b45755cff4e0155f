//! `tokenfield sweep`: many cells of one experiment, and the rates they show.

use std::path::{Path, PathBuf};

use clap::Args;
use tokenfield::{
    experiment::{Override, SweepFile},
    sweep::{self, Cell, SweepError},
};

use super::{
    CommandError,
    machine::{Machine, MachineChoice},
    run::{Part, run},
};

#[derive(Args)]
pub struct Sweep {
    /// The sweep file.
    file: PathBuf,
    /// The sweep folder; complete cells of this sweep in it stay as they are [default: runs/NAME].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Which part of the cells to run: the K-th of N.
    #[arg(long, value_name = "K/N", default_value = "1/1")]
    shard: Shard,
    #[command(flatten)]
    machine: MachineChoice,
    /// Set a key of the base experiment, as in attention.beta=2.0; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
    /// Leave the pictures undrawn; `tokenfield plot` draws them later.
    #[arg(long)]
    no_plot: bool,
}

/// The `index`-th of `count` shards, counted from 0.
#[derive(Clone, Copy, Debug)]
struct Shard {
    index: usize,
    count: usize,
}

impl std::str::FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parsed: Option<(usize, usize)> =
            text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
        match parsed {
            Some((k, n)) if 1 <= k && k <= n => Ok(Self { index: k - 1, count: n }),
            _ => Err("write K/N with 1 <= K <= N, e.g. 2/8".into()),
        }
    }
}

impl Sweep {
    pub fn execute(self) -> Result<(), CommandError> {
        let file = SweepFile::read(&self.file, &self.overrides)?;
        let machine = self.machine.open()?;
        let cells = sweep::cells(&file, machine.precision()).map_err(refused)?;
        let folder = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&file.name));
        let batches = sweep::batches(&cells)?;
        for batch in batches.iter().skip(self.shard.index).step_by(self.shard.count) {
            run_batch(&folder, &cells, batch, &machine)?;
        }
        let left = left(&folder, &cells)?;
        if left == 0 {
            for note in sweep::write_tables(&folder, &file, &cells).map_err(refused)? {
                eprintln!("{note}");
            }
            if !self.no_plot {
                tokenfield::plot::draw(&folder).map_err(|error| CommandError::Failed(error.to_string()))?;
            }
        } else {
            eprintln!("{left} of {} cells are left to other shards", cells.len());
        }
        println!("{}", folder.display());
        Ok(())
    }
}

/// Runs the cells of `batch`, given by their places, unless all of them are complete.
fn run_batch(folder: &Path, cells: &[Cell], batch: &[usize], machine: &Machine) -> Result<(), CommandError> {
    let mut parts = Vec::new();
    for cell in batch.iter().map(|index| &cells[*index]) {
        let path = match sweep::is_complete(folder, cell).map_err(refused)? {
            true => None,
            false => Some(sweep::folder(folder, cell)),
        };
        parts.push(Part { experiment: &cell.experiment, path });
    }
    if parts.iter().all(|part| part.path.is_none()) {
        return Ok(());
    }
    match batch {
        [only] => eprint!("cell {} of {}: ", only + 1, cells.len()),
        [first, ..] => eprint!("cell {} of {} and {} like it: ", first + 1, cells.len(), batch.len() - 1),
        [] => {}
    }
    let problems: Result<Vec<_>, _> = parts.iter().map(|part| part.experiment.resolve()).collect();
    match sweep::merged(problems?).map_or(Ok(()), |problem| run(&parts, &problem, machine)) {
        Err(CommandError::Failed(error)) if batch.len() > 1 => {
            // One cell must not stop those that have nothing to do with it.
            eprintln!("{error}; each of these cells runs by itself");
            let alone: Vec<_> = batch.iter().map(|index| run_batch(folder, cells, &[*index], machine)).collect();
            alone.into_iter().collect()
        }
        outcome => outcome,
    }
}

/// Cells that are not complete; what others are at work on is left alone.
fn left(folder: &Path, cells: &[Cell]) -> Result<usize, CommandError> {
    Ok(cells.iter().filter(|cell| !sweep::has_ended(folder, cell)).count())
}

fn refused(error: SweepError) -> CommandError {
    match error {
        SweepError::Experiment(error) => CommandError::Experiment(error),
        SweepError::Record(error) => CommandError::Record(error),
        error @ SweepError::Cell { .. } => CommandError::Failed(error.to_string()),
    }
}
