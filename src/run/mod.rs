//! One run, from an experiment to its run folder: the backend on a machine, the limit beside it, and the record.
//!
//! The caller is told everything as events, and may end the run between two of them. The command line, sweeps and other languages
//! run experiments here.
//!
//! ```no_run
//! use std::{ops::ControlFlow, path::Path};
//!
//! use tokenfield::{
//!     backend::Precision,
//!     experiment::Experiment,
//!     record::Claim,
//!     run::{Choice, Event, Machine, run},
//! };
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let experiment = Experiment::read(Path::new("assets/experiments/clusters.toml"), &[])?;
//! let machine = Machine::open(Choice::Auto, Precision::Single).await?;
//! let claim = Claim::vacant(Path::new("runs"), experiment.name())?;
//! let folder = run(&experiment, claim, &machine, |event| {
//!     if let Event::Steps(steps) = event {
//!         println!("{steps} steps");
//!     }
//!     ControlFlow::Continue(())
//! })
//! .await?;
//! println!("{}", folder.display());
//! # Ok(())
//! # }
//! ```

mod error;
mod folders;

use std::{ops::ControlFlow, path::PathBuf};

use self::{error::Cancelled, folders::Folders};
pub use self::{error::RunError, folders::Part};
pub use crate::backend::machine::{Choice, Machine, MachineError};
use crate::{
    backend::{Backend, Identity},
    cancel::Cancel,
    experiment::Experiment,
    expression::Expression,
    limit::{Limit, equiangular, gaussian, overlap, particles, quadrature_within, zonal},
    observe::Sample,
    problem::{Problem, Reference},
    record::Claim,
    simulate::{self, SimulateError, simulate_beside},
};

/// What a run reports.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// This limit is being opened, to run beside the tokens.
    Limit(&'a Reference),
    /// Steps are about to be taken, of a problem on a backend.
    Started {
        /// That of the experiment.
        name: &'a str,
        /// Who does the arithmetic.
        identity: &'a Identity,
        /// What is computed.
        problem: &'a Problem,
        /// Ends the run between two events as well, within a fraction of a second.
        cancel: &'a Cancel,
    },
    /// One replica was measured.
    Sample(&'a Sample),
    /// This many steps are done.
    Steps(u64),
    /// Something that the user must know, though the run goes on; each kind at most once for each folder.
    Warning(&'a str),
    /// The condition to stop at holds in all replicas at this layer-time, and no more steps are taken.
    Stopped {
        /// That of the last sample.
        time: f64,
        /// What holds.
        condition: &'a Expression,
    },
    /// No more steps are taken, for whatever reason.
    Ended,
}

/// Runs `experiment` into the folder of `claim`, and returns where that is.
///
/// After `on_event` has returned `Break` the run ends with [`RunError::Cancelled`]; its folder keeps the samples so far, and the
/// same experiment can begin again in it.
pub async fn run(
    experiment: &Experiment,
    claim: Claim,
    machine: &Machine,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<PathBuf, RunError> {
    let problem = experiment.resolve()?;
    let path = claim.path().to_owned();
    run_parts(vec![Part { experiment, claim: Some(claim) }], &problem, machine, on_event).await?;
    Ok(path)
}

/// Runs `problem`, which the experiments of `parts` resolve to, each to its share of the replicas, in their order.
pub async fn run_parts(
    parts: Vec<Part<'_>>,
    problem: &Problem,
    machine: &Machine,
    on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(), RunError> {
    let mut backend = machine.backend(problem).await?;
    run_on(parts, problem, backend.as_mut(), on_event).await
}

/// Opens the limit that an experiment asks for.
fn limit(experiment: &Experiment, problem: &Problem) -> Option<Result<Limit, RunError>> {
    let (reference, law) = experiment.reference()?;
    let steps = experiment.reference_steps();
    let limit = match reference {
        Reference::Quadrature { tolerance } => quadrature_within(problem, law, tolerance, steps),
        Reference::Particles { count } => particles(problem, law, count, experiment.seed()),
        Reference::Zonal => zonal(problem, law, steps),
        Reference::Gaussian => gaussian(problem, law, steps),
        Reference::Equiangular => equiangular(problem, law),
        Reference::Overlap { count, overlap: start } => overlap(problem, count, start),
    };
    Some(limit.map_err(RunError::Limit))
}

async fn run_on(
    parts: Vec<Part<'_>>,
    problem: &Problem,
    backend: &mut dyn Backend,
    mut on_event: impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(), RunError> {
    let Some(first) = parts.first().map(|part| part.experiment) else { return Ok(()) };
    let cancelled = || RunError::Cancelled { message: Cancelled.to_string() };
    if let Some((reference, _)) = first.reference()
        && on_event(Event::Limit(&reference)).is_break()
    {
        return Err(cancelled());
    }
    let mut limit = limit(first, problem).transpose()?;
    let identity = backend.identity();
    let mut folders = Folders::create(parts, problem, backend)?;
    let cancel = Cancel::default();
    backend.end_with(&cancel);
    let started = Event::Started { name: first.name(), identity: &identity, problem, cancel: &cancel };
    let outcome = if on_event(started).is_break() {
        Err(SimulateError::Observer(Cancelled.into()))
    } else {
        follow(problem, backend, limit.as_mut(), &mut folders, &mut on_event).await
    };
    // Whoever draws progress is done, whatever becomes of the record.
    let _ = on_event(Event::Ended);
    let method = backend.method();
    match outcome {
        Ok((summary, tokens)) => {
            folders.complete(&tokens, method, summary).map_err(|error| RunError::Disk { message: error.to_string() })
        }
        Err(error) => Err(folders.fail(error, method)),
    }
}

/// Follows the equation to its end, or to where it stops; what is known then, and the final tokens.
async fn follow(
    problem: &Problem,
    backend: &mut dyn Backend,
    limit: Option<&mut Limit>,
    folders: &mut Folders,
    on_event: &mut impl FnMut(Event<'_>) -> ControlFlow<()>,
) -> Result<(simulate::Summary, Vec<f64>), SimulateError> {
    let summary = simulate_beside(problem, backend, limit, |event| {
        let goes_on = match event {
            simulate::Event::Sample(sample) => {
                folders.sample(sample)?;
                on_event(Event::Sample(sample))
            }
            simulate::Event::Tokens(tokens) => {
                folders.tokens(tokens)?;
                ControlFlow::Continue(())
            }
            simulate::Event::Attention { replica, weights } => {
                folders.attention(replica, weights)?;
                ControlFlow::Continue(())
            }
            simulate::Event::Steps(done) => on_event(Event::Steps(done)),
            simulate::Event::Warning(warning) => match folders.warn(warning)? {
                Some(line) => on_event(Event::Warning(&line)),
                None => ControlFlow::Continue(()),
            },
            simulate::Event::Stopped { time, condition } => on_event(Event::Stopped { time, condition }),
        };
        if goes_on.is_break() { Err(Cancelled.into()) } else { Ok(()) }
    })
    .await?;
    let tokens = finite(backend.tokens().await?, problem, summary.time)?;
    Ok((summary, tokens))
}

/// The final tokens, unless one of them, of weight zero perhaps, is no longer finite.
fn finite(tokens: Vec<f64>, problem: &Problem, time: f64) -> Result<Vec<f64>, SimulateError> {
    let shape = problem.tokens.shape;
    match tokens.iter().position(|component| !component.is_finite()) {
        None => Ok(tokens),
        Some(at) => {
            let replica = at / (shape.count * shape.dim);
            Err(SimulateError::NotFinite { replica, time })
        }
    }
}

#[cfg(test)]
mod tests;
