//! `tokenfield run`: one experiment, from its file to its run folder; and `tokenfield resume`, which goes on with one.

use std::{
    io,
    path::{Path, PathBuf},
};

use clap::Args;
use tokenfield::{
    cancel::Cancel,
    experiment::{Arrays, Experiment, Override},
    problem::Problem,
    record::{Claim, Origin, RecordError, standing},
    run::{Checkpoints, Interval, Machine, OtherMachine, run_with},
};

use super::{
    error::CommandError,
    machine::MachineChoice,
    output::{name, talk},
    progress::Progress,
    ranks::World,
    signals::request_on_signals,
};

#[derive(Args)]
pub struct Run {
    /// The experiment file; - is standard input, with paths relative to the current folder.
    file: PathBuf,
    /// The run folder; it must be absent or empty, or hold what the same experiment left before its end, from whose last checkpoint it goes on
    /// if there is one [default: runs/NAME, numbered if taken].
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    machine: MachineChoice,
    /// Set a key of the experiment, as in attention.beta=2.0; may be repeated.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    overrides: Vec<Override>,
    #[command(flatten)]
    keeping: Keeping,
}

#[derive(Args)]
pub struct Resume {
    /// The run folder.
    folder: PathBuf,
    #[command(flatten)]
    machine: MachineChoice,
    #[command(flatten)]
    keeping: Keeping,
}

#[derive(Args)]
struct Keeping {
    /// Write a checkpoint that often, e.g. 10m, 2h or 500steps. Without it one is written on Ctrl-C, SIGTERM and SIGUSR1 alone; these end
    /// the run with exit code 75, and a second one ends it at once.
    #[arg(long, value_name = "INTERVAL")]
    checkpoint: Option<Interval>,
    /// Leave the pictures undrawn; `tokenfield plot` draws them later.
    #[arg(long)]
    no_plot: bool,
}

impl Run {
    pub fn execute(self) -> Result<(), CommandError> {
        let read = || {
            let experiment = self.experiment()?;
            let problem = experiment.resolve()?;
            Ok((experiment, problem))
        };
        let world = World::join()?;
        let Some((experiment, problem)) = lead(world.as_ref(), read)? else { return Ok(()) };
        let machine = match &world {
            None => self.machine.open()?,
            Some(world) => self.machine.open_among(world, "single")?,
        };
        let claim = match &self.out {
            Some(path) => Claim::for_run(path, &experiment.to_toml()?, machine.precision())?,
            None => Claim::vacant(Path::new("runs"), experiment.name())?,
        };
        if let Some(standing) = claim.replaces() {
            let what = if claim.resumes().is_some() { "goes on from its checkpoint" } else { "begins again" };
            talk(format_args!(
                "{} holds what the same experiment left ({standing}); it {what}",
                claim.path().display()
            ));
        }
        self.keeping.run(&experiment, problem, claim, &machine, OtherMachine::Refused)
    }

    fn experiment(&self) -> Result<Experiment, CommandError> {
        if self.file != Path::new("-") {
            return Ok(Experiment::read(&self.file, &self.overrides)?);
        }
        let unreadable =
            |error| CommandError::Input(format!("standard input cannot be read as an experiment: {error}"));
        let text = io::read_to_string(io::stdin()).map_err(unreadable)?;
        Ok(Experiment::parse_with(&text, Arrays::default(), &self.overrides)?)
    }
}

impl Resume {
    pub fn execute(self) -> Result<(), CommandError> {
        let read = || {
            let path = self.folder.join("experiment.toml");
            if !path.is_file() {
                let standing = standing(&self.folder);
                return Err(RecordError::NoCheckpoint { path: self.folder.clone(), standing }.into());
            }
            let experiment = Experiment::read(&path, &[])?;
            let problem = experiment.resolve()?;
            Ok((experiment, problem))
        };
        let world = World::join()?;
        let Some((experiment, problem)) = lead(world.as_ref(), read)? else { return Ok(()) };
        let claim = Claim::to_resume(&self.folder)?;
        let Some(origin) = claim.resumes().map(|checkpoint| &checkpoint.state.origin) else {
            return Err(CommandError::Failed(format!("{}: there is no checkpoint", self.folder.display())));
        };
        let Origin { backend, precision, .. } = origin;
        let machine = match &world {
            None => self.machine.open_like(backend, precision)?,
            Some(world) => self.machine.open_among(world, precision)?,
        };
        let other = if self.machine.is_named() { OtherMachine::Accepted } else { OtherMachine::Refused };
        self.keeping.run(&experiment, problem, claim, &machine, other)
    }
}

/// What was `read` if this process is to run it; none if it has followed another one that did.
fn lead(
    world: Option<&World>,
    read: impl FnOnce() -> Result<(Experiment, Problem), CommandError>,
) -> Result<Option<(Experiment, Problem)>, CommandError> {
    let Some(world) = world else { return read().map(Some) };
    let (experiment, problem) = world.agree(read())?;
    if world.is_first() {
        return Ok(Some((experiment, problem)));
    }
    // The first process is asked to end by the same signal, and ends all.
    request_on_signals(&Cancel::default());
    world.follow(problem);
    Ok(None)
}

impl Keeping {
    fn run(
        self,
        experiment: &Experiment,
        problem: Problem,
        claim: Claim,
        machine: &Machine,
        other_machine: OtherMachine,
    ) -> Result<(), CommandError> {
        let checkpoints = Checkpoints { every: self.checkpoint, other_machine, ..Checkpoints::default() };
        request_on_signals(&checkpoints.interrupt);
        let mut progress = Progress::default();
        let ran = run_with(experiment, problem, claim, machine, &checkpoints, |event| progress.show(event));
        let path = pollster::block_on(ran)?;
        name(&path);
        if !self.no_plot {
            let failed = |error| CommandError::Failed(format!("{error} (the run in {} is complete)", path.display()));
            tokenfield::plot::draw(&path).map_err(failed)?;
        }
        Ok(())
    }
}
