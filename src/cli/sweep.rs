//! `tokenfield sweep`: many cells of one experiment, and the rates they show.

use std::{
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use clap::Args;
use tokenfield::{
    experiment::{Override, SweepFile},
    run::{Checkpoints, Interval},
    sweep::{Event, Shard, Share, run_with},
};

use super::{
    error::CommandError,
    machine::MachineChoice,
    output::{begin, name, talk},
    progress::Progress,
    signals::request_on_signals,
};

#[derive(Args)]
pub struct Sweep {
    /// The sweep file.
    file: PathBuf,
    /// The sweep folder; complete cells of this sweep in it stay as they are [default: runs/NAME].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Which part of the cells to run: the K-th of N.
    #[arg(long, value_name = "K/N", default_value = "1/1", value_parser = shard)]
    shard: Shard,
    /// Take whatever cells no other process is at work on, and end when there are none; any number of workers may share a folder, if
    /// its file system has locks.
    #[arg(long, conflicts_with = "shard")]
    worker: bool,
    #[command(flatten)]
    machine: MachineChoice,
    /// Set a key of the base experiment, as in attention.beta=2.0; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
    /// Write a checkpoint of a cell that runs alone that often, e.g. 10m, 2h or 500steps; the sweep goes on from it when it is run again.
    /// Ctrl-C, SIGTERM and SIGUSR1 write one too, and end the sweep with exit code 75.
    #[arg(long, value_name = "INTERVAL")]
    checkpoint: Option<Interval>,
    /// Leave the pictures undrawn; `tokenfield plot` draws them later.
    #[arg(long)]
    no_plot: bool,
}

/// The K-th of N shards, counted from 1.
fn shard(text: &str) -> Result<Shard, String> {
    let parsed: Option<(usize, usize)> =
        text.split_once('/').and_then(|(k, n)| Some((k.parse().ok()?, n.parse().ok()?)));
    match parsed {
        Some((k, n)) if 1 <= k && k <= n => Ok(Shard { index: k - 1, count: n }),
        _ => Err("write K/N with 1 <= K <= N, e.g. 2/8".into()),
    }
}

impl Sweep {
    pub fn execute(self) -> Result<(), CommandError> {
        let file = SweepFile::read(&self.file, &self.overrides)?;
        let machine = self.machine.open()?;
        let folder = self.out.clone().unwrap_or_else(|| Path::new("runs").join(&file.name));
        let mut progress = Progress::default();
        let share = if self.worker { Share::Worker } else { Share::Of(self.shard) };
        let checkpoints = Checkpoints { every: self.checkpoint, ..Checkpoints::default() };
        request_on_signals(&checkpoints.interrupt);
        let swept = run_with(&file, &folder, share, &machine, &checkpoints, |event| show(&mut progress, event));
        let swept = pollster::block_on(swept)?;
        if swept.left > 0 {
            let others = match share {
                Share::Of(_) => "other shards",
                Share::Worker => "others at work on them, the last of whom writes the tables",
            };
            talk(format_args!("{} of {} cells are left to {others}", swept.left, swept.cells));
        } else if !self.no_plot {
            tokenfield::plot::draw(&folder).map_err(|error| CommandError::Failed(error.to_string()))?;
        }
        name(&folder);
        Ok(())
    }
}

/// Says what a sweep reports.
pub fn show(progress: &mut Progress, event: Event<'_>) -> ControlFlow<()> {
    match event {
        Event::Cells { first, others: 0, of } => begin(format_args!("cell {} of {of}: ", first + 1)),
        Event::Cells { first, others, of } => {
            begin(format_args!("cell {} of {of} and {others} like it: ", first + 1));
        }
        Event::Run(event) => return progress.show(event),
        Event::Again(reason) => talk(format_args!("{reason}; it is computed again")),
        Event::Failed(message) => talk(format_args!("{message}; other cells go on")),
        Event::Alone(message) => talk(format_args!("{message}; each of these cells runs by itself")),
        Event::Waiting { holder, folder } => {
            talk(format_args!("waiting for {holder}, which is at work on {}", folder.display()));
        }
        Event::Note(note) => talk(format_args!("{note}")),
        _ => {}
    }
    ControlFlow::Continue(())
}
