//! `tokenfield sweep`: many cells of one experiment, and the rates they show.

use std::path::{Path, PathBuf};

use clap::Args;
use tokenfield::{
    experiment::{Override, SweepFile},
    record::Claim,
    sweep::{self, SweepError},
};

use super::{
    CommandError,
    machine::MachineChoice,
    output::{name, talk},
    work::Work,
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
        sweep::require_no_other(&folder).map_err(refused)?;
        let batches = sweep::batches(&cells)?;
        let own = batches.into_iter().skip(self.shard.index).step_by(self.shard.count);
        let mut work = Work::new(&folder, &cells, &machine);
        work.finish(own.collect())?;
        // Others may end at the same time; one after the other they write the same.
        let tables = Claim::wait(&folder)?;
        let left = work.left();
        let notes = match left {
            0 => sweep::write_tables(&folder, &file, &cells),
            // What tables there are is of another sweep.
            _ => sweep::remove_tables(&folder).map(|()| Vec::new()),
        }
        .map_err(refused)?;
        drop(tables);
        notes.iter().for_each(|note| talk(format_args!("{note}")));
        if left > 0 {
            talk(format_args!("{left} of {} cells are left to other shards", cells.len()));
        } else if !self.no_plot {
            tokenfield::plot::draw(&folder).map_err(|error| CommandError::Failed(error.to_string()))?;
        }
        name(&folder);
        Ok(())
    }
}

pub fn refused(error: SweepError) -> CommandError {
    match error {
        SweepError::Experiment(error) => CommandError::Experiment(error),
        SweepError::Record(error) => CommandError::Record(error),
        error @ SweepError::Foreign { .. } => CommandError::Input(error.to_string()),
        error @ SweepError::Cell { .. } => CommandError::Failed(error.to_string()),
    }
}
