//! `tokenfield run`: one experiment, from its file to its run folder.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokenfield::{
    backend::{Backend, cpu::Cpu, gpu::Gpu},
    experiment::{Experiment, Override},
    limit::{Limit, LimitError, equiangular, gaussian, particles, quadrature_within, zonal},
    problem::{Problem, Reference},
    record::Claim,
    simulate::{Event, SimulateError, simulate_beside},
};

use super::{
    CommandError,
    folders::Folders,
    machine::{Machine, MachineChoice},
    output::{name, talk},
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
        let path = claim.path().to_owned();
        if let Some(standing) = claim.replaces() {
            talk(format_args!(
                "{} holds what the same experiment left ({standing}); it begins again",
                path.display()
            ));
        }
        run(vec![Part { experiment: &experiment, claim: Some(claim) }], &problem, &machine)?;
        name(&path);
        if !self.no_plot {
            let failed = |error| CommandError::Failed(format!("{error} (the run in {} is complete)", path.display()));
            tokenfield::plot::draw(&path).map_err(failed)?;
        }
        Ok(())
    }
}

/// An experiment and the folder that is claimed for it; none where it has been written before.
pub struct Part<'a> {
    pub experiment: &'a Experiment,
    pub claim: Option<Claim>,
}

/// Runs `problem`, which the experiments of `parts` resolve to, each to its share of the replicas, in their order.
pub fn run(parts: Vec<Part>, problem: &Problem, machine: &Machine) -> Result<(), CommandError> {
    match machine {
        Machine::Gpu(device) => {
            let backend = pollster::block_on(Gpu::new(device, problem))?;
            run_on(parts, problem, backend)
        }
        Machine::CpuSingle => run_on(parts, problem, Cpu::<f32>::new(problem)?),
        Machine::CpuDouble => run_on(parts, problem, Cpu::<f64>::new(problem)?),
    }
}

/// Opens the limit that the experiments ask for.
fn run_on<B: Backend>(parts: Vec<Part>, problem: &Problem, backend: B) -> Result<(), CommandError> {
    let refused = |error: LimitError| CommandError::Input(format!("[reference]: {error}"));
    let Some(first) = parts.first() else { return Ok(()) };
    let Some((reference, law)) = first.experiment.reference() else {
        return run_beside(parts, problem, backend, None);
    };
    talk(format_args!("beside the limit: {reference}"));
    let steps = first.experiment.reference_steps();
    let limit = match reference {
        Reference::Quadrature { tolerance } => quadrature_within(problem, law, tolerance, steps),
        Reference::Particles { count } => particles(problem, law, count, first.experiment.seed()),
        Reference::Zonal => zonal(problem, law, steps),
        Reference::Gaussian => gaussian(problem, law, steps),
        Reference::Equiangular => equiangular(problem, law),
    };
    run_beside(parts, problem, backend, Some(&mut limit.map_err(refused)?))
}

fn run_beside<B: Backend>(
    parts: Vec<Part>,
    problem: &Problem,
    mut backend: B,
    limit: Option<&mut Limit>,
) -> Result<(), CommandError> {
    let identity = backend.identity();
    let names: Vec<&str> = parts.iter().map(|part| part.experiment.name()).take(1).collect();
    let mut folders = Folders::create(parts, problem, &backend)?;
    let (adapter, precision) = (&identity.adapter, identity.precision.name());
    talk(format_args!("{} on {} ({adapter}, {precision})", names.concat(), identity.backend));
    let progress = Progress::new(problem);
    let outcome = pollster::block_on(async {
        let summary = simulate_beside(problem, &mut backend, limit, |event| {
            match event {
                Event::Sample(sample) => folders.sample(sample)?,
                Event::Tokens(tokens) => folders.tokens(tokens)?,
                Event::Steps(done) => progress.steps(done),
                Event::Warning(warning) => {
                    if let Some(line) = folders.warn(warning)? {
                        progress.bar.suspend(|| talk(format_args!("warning: {line}")));
                    }
                }
            }
            Ok(())
        })
        .await?;
        Ok((summary, finite(backend.tokens().await?, problem)?))
    });
    progress.bar.finish_and_clear();
    let method = backend.method();
    match outcome {
        Ok((summary, tokens)) => {
            folders.complete(&tokens, method, summary).map_err(|error| CommandError::Disk(error.to_string()))
        }
        Err(error) => Err(folders.fail(error, method)),
    }
}

/// The final tokens, unless one of them, of weight zero perhaps, is no longer finite.
fn finite(tokens: Vec<f64>, problem: &Problem) -> Result<Vec<f64>, SimulateError> {
    let shape = problem.tokens.shape;
    match tokens.iter().position(|component| !component.is_finite()) {
        None => Ok(tokens),
        Some(at) => {
            let replica = at / (shape.count * shape.dim);
            Err(SimulateError::NotFinite { replica, time: problem.schedule.end })
        }
    }
}

/// A bar with the time left and the pairs per second, drawn only on a terminal.
struct Progress {
    bar: ProgressBar,
    started: Instant,
    pairs_per_step: f64,
}

impl Progress {
    fn new(problem: &Problem) -> Self {
        let template = "{wide_bar} {pos}/{len} steps, {msg} pairs/s, {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(problem.schedule.steps).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(250));
        Self { bar, started: Instant::now(), pairs_per_step: problem.pairs_per_step() as f64 }
    }

    fn steps(&self, done: u64) {
        let rate = self.pairs_per_step * done as f64 / self.started.elapsed().as_secs_f64();
        self.bar.set_message(format!("{rate:.1e}"));
        self.bar.set_position(done);
    }
}
