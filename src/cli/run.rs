//! `tokenfield run`: one experiment, from its file to its run folder.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use tokenfield::{
    backend::{Backend, Method, cpu::Cpu, gpu::Gpu},
    experiment::{Experiment, Override},
    limit::{Equiangular, Gaussian, Limit, LimitError, Zonal, particles, quadrature_within},
    observe::columns,
    problem::{Problem, Reference},
    record::RunFolder,
    simulate::{Beside, Event, SimulateError, simulate_beside},
};

use super::{
    CommandError,
    machine::{Machine, MachineChoice},
};

#[derive(Args)]
pub struct Run {
    /// The experiment file.
    file: PathBuf,
    /// The run folder; it must be absent or empty [default: runs/NAME, numbered if taken].
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
        let path = self.out.clone().unwrap_or_else(|| vacant(Path::new("runs"), experiment.name()));
        let folder = run(&experiment, &problem, &machine, &path)?;
        println!("{}", folder.display());
        if !self.no_plot {
            tokenfield::plot::draw(&folder).map_err(|error| CommandError::Failed(error.to_string()))?;
        }
        Ok(())
    }
}

/// Runs `problem`, which `experiment` resolves to, into the folder `path`.
pub fn run(
    experiment: &Experiment,
    problem: &Problem,
    machine: &Machine,
    path: &Path,
) -> Result<PathBuf, CommandError> {
    match machine {
        Machine::Gpu(device) => {
            let backend = pollster::block_on(Gpu::new(device, problem))?;
            run_on(experiment, problem, backend, path)
        }
        Machine::CpuSingle => run_on(experiment, problem, Cpu::<f32>::new(problem)?, path),
        Machine::CpuDouble => run_on(experiment, problem, Cpu::<f64>::new(problem)?, path),
    }
}

/// Opens the limit that the experiment asks for.
fn run_on<B: Backend>(
    experiment: &Experiment,
    problem: &Problem,
    backend: B,
    path: &Path,
) -> Result<PathBuf, CommandError> {
    let refused = |error: LimitError| CommandError::Input(format!("[reference]: {error}"));
    let Some((reference, law)) = experiment.reference() else {
        return run_beside(experiment, problem, backend, None::<(&Limit, B)>, path);
    };
    eprintln!("beside the limit: {reference}");
    let limit = match reference {
        Reference::Quadrature { tolerance } => pollster::block_on(quadrature_within(problem, law, tolerance)),
        Reference::Particles { count } => particles(problem, law, count, experiment.seed()),
        Reference::Zonal => {
            let (limit, zonal) = Zonal::new(problem, law).map_err(refused)?;
            return run_beside(experiment, problem, backend, Some((&limit, zonal)), path);
        }
        Reference::Gaussian => {
            let (limit, gaussian) = Gaussian::new(problem, law).map_err(refused)?;
            return run_beside(experiment, problem, backend, Some((&limit, gaussian)), path);
        }
        Reference::Equiangular => {
            let (limit, equiangular) = Equiangular::new(problem, law).map_err(refused)?;
            return run_beside(experiment, problem, backend, Some((&limit, equiangular)), path);
        }
    };
    let limit = limit.map_err(refused)?;
    let nodes = Cpu::<f64>::new(&limit.problem)?;
    run_beside(experiment, problem, backend, Some((&limit, nodes)), path)
}

fn run_beside<B: Backend, C: Backend>(
    experiment: &Experiment,
    problem: &Problem,
    mut backend: B,
    mut limit: Option<(&Limit, C)>,
    path: &Path,
) -> Result<PathBuf, CommandError> {
    let identity = backend.identity();
    let shape = problem.tokens.shape;
    let names = columns(&problem.quantities, shape.dim);
    let mut folder =
        RunFolder::create(path, &experiment.to_toml()?, experiment.seed(), &names, &identity, backend.method())?;
    if let Some((reference, _)) = experiment.reference() {
        folder.beside(&reference)?;
    }
    let (adapter, precision) = (&identity.adapter, identity.precision.name());
    eprintln!("{} on {} ({adapter}, {precision})", experiment.name(), identity.backend);
    let progress = Progress::new(problem);
    let beside = limit.as_mut().map(|(limit, backend)| Beside { limit, backend });
    let outcome = pollster::block_on(async {
        let pairs = simulate_beside(problem, &mut backend, beside, |event| {
            match event {
                Event::Sample(sample) => folder.sample(sample)?,
                Event::Steps(done) => progress.steps(done),
            }
            Ok(())
        })
        .await?;
        Ok((pairs, finite(backend.tokens().await?, problem)?))
    });
    progress.bar.finish_and_clear();
    match outcome {
        Ok((pairs, tokens)) => {
            let method = backend.method();
            if let Method::Abandoned { error } = method {
                eprintln!("harmonics left an error of {error:.1e}, above the tolerance: went on with direct");
            }
            folder.complete(&tokens, shape, method, pairs).map_err(|error| CommandError::Failed(error.to_string()))
        }
        Err(error) => Err(failed(folder, error, backend.method())),
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

fn failed(folder: RunFolder, error: SimulateError, method: Method) -> CommandError {
    let path = folder.path().display().to_string();
    match folder.fail(&error, method) {
        Ok(_) => CommandError::Failed(format!("{error} (the samples so far are in {path})")),
        Err(record) => CommandError::Failed(format!("{error}; and its record could not be closed: {record}")),
    }
}

/// The first of NAME, NAME-2, NAME-3, ... that no run has taken yet.
pub fn vacant(parent: &Path, name: &str) -> PathBuf {
    let numbered = (2..).map(|k| parent.join(format!("{name}-{k}")));
    let candidates = std::iter::once(parent.join(name)).chain(numbered);
    candidates.into_iter().find(|path| !path.exists()).unwrap_or_else(|| parent.join(name))
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
