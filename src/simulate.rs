//! The loop: stages, steps and observation times, once for every scheme and every backend.
//!
//! ```
//! use tokenfield::{
//!     backend::{Backend, cpu},
//!     experiment::Experiment,
//!     simulate::{Event, simulate},
//! };
//!
//! let experiment = Experiment::parse("
//!     name = \"two-clusters\"
//!     [tokens]
//!     count = 64
//!     dim = 3
//!     seed = 7
//!     initial = { law = \"uniform\" }
//!     [attention]
//!     beta = 4.0
//!     normalization = \"softmax\"
//!     [time]
//!     scheme = \"heun\"
//!     step = 0.1
//!     end = 2.0
//!     [observe]
//!     every = 0.5
//!     quantities = [\"energy\"]
//! ")?;
//! let problem = experiment.resolve()?;
//! let mut backend = cpu::double(&problem)?;
//! let mut energies = Vec::new();
//! pollster::block_on(simulate(&problem, backend.as_mut(), |event| {
//!     if let Event::Sample(sample) = event {
//!         energies.push(sample.values[0]);
//!     }
//!     Ok(())
//! }))?;
//! assert!(energies.is_sorted(), "the energy never decreases");
//! let tokens = pollster::block_on(backend.tokens())?;
//! assert_eq!(tokens.len(), 64 * 3);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod ascent;
mod control;
#[cfg(test)]
mod tests;

pub use self::control::{StepCounts, StepError};

use std::{collections::BTreeMap, error::Error};

use self::{ascent::Ascent, control::Controller};
use crate::{
    backend::{Backend, BackendError, Method, Point, SlicedTargets, advance},
    expression::Expression,
    limit::{Limit, LimitError},
    model::{Field, Model, Normalization},
    observables::{self, Centres, Need, Quantity, SlicedW2Reference, View, columns},
    observe::{Sample, Statistics},
    problem::Problem,
    transport::TransportError,
    warning::{Said, Warning, WarningKind},
};

/// What the loop reports while it runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// One replica was measured.
    Sample(&'a Sample),
    /// All replicas were, and [`Quantity::Tokens`] asks for the tokens, ordered (replica, token, component).
    Tokens(&'a [f64]),
    /// [`Quantity::AttentionMatrix`] asks for this matrix of one head, (row, source); after the samples, for one replica after the
    /// other and all its heads in turn.
    Attention {
        /// That of the tokens.
        replica: usize,
        /// a_ij, row-major.
        weights: &'a [f64],
    },
    /// This many steps are done (on a GPU: recorded, and at most a fraction of a second behind).
    Steps(u64),
    /// Something that the user must know, though the run goes on; each kind at most once for each replica.
    Warning(&'a Warning),
    /// The condition to stop at holds in all replicas at this layer-time, and no more steps are taken.
    Stopped {
        /// That of the last sample.
        time: f64,
        /// What holds.
        condition: &'a Expression,
    },
}

/// Why a simulation took no more steps.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// There were no more, and no condition could have ended it earlier.
    #[default]
    Scheduled,
    /// There were no more, and its condition has not held in all replicas.
    Unmet,
    /// Its condition held.
    Stopped,
}

/// What is known at the end of a simulation, beside its samples.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// The layer-time of the last sample.
    pub time: f64,
    /// Whether that is the end of the schedule.
    pub ending: Ending,
    /// Pairs (i, j) that were summed over, by whichever algorithm.
    pub pairs: u64,
    /// Of steps of controlled error.
    pub steps: Option<StepCounts>,
    /// [`Backend::marginal_error`].
    pub marginal_error: Option<f64>,
    /// For each quantity that was compared with a limit by nodes, how many there were; by its first column.
    pub reference_nodes: BTreeMap<String, usize>,
}

/// Why a simulation did not reach its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum SimulateError {
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(
        "the tokens of replica {replica} are no longer finite at time {time}; \
         take a smaller time.step or attention.beta, or softmax normalization"
    )]
    NotFinite { replica: usize, time: f64 },
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Distance(#[from] TransportError),
    #[error("[reference]: {0}")]
    Limit(#[from] LimitError),
    #[error("stopped by its observer: {0}")]
    Observer(#[source] Box<dyn Error + Send + Sync>),
}

/// Evolves the tokens of `problem`, held by `backend`, to the end of its schedule, or to the first sample at which its condition to
/// stop at holds in all replicas.
///
/// `on_event` is told of every sample (replica by replica, times ascending, time 0 and the end included) and of every
/// step; an error it returns stops the run, with tokens that may be some steps further on, because a backend may take
/// several at once.
pub async fn simulate(
    problem: &Problem,
    backend: &mut dyn Backend,
    on_event: impl FnMut(Event) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<Summary, SimulateError> {
    simulate_beside(problem, backend, None, on_event).await
}

/// The same as [`simulate`], and at each sample the tokens are compared with their coupled tokens in the limit, if there is one.
pub async fn simulate_beside(
    problem: &Problem,
    backend: &mut dyn Backend,
    mut limit: Option<&mut Limit>,
    mut on_event: impl FnMut(Event) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<Summary, SimulateError> {
    let schedule = &problem.schedule;
    let (mut summary, mut done, mut said) = (Summary::default(), 0, Said::default());
    let mut controller = Controller::of(problem);
    let mut ascent = Ascent::of(problem, backend.identity().precision);
    let centres = observables::centres(&problem.quantities, &problem.equation());
    let columns = columns(&problem.quantities, problem.tokens.shape.dim);
    let holds = |stop: &Expression, sample: &Sample| stop.holds(&|name| sample.value(&columns, name));
    if schedule.stop.is_some() {
        summary.ending = Ending::Unmet;
    }
    loop {
        let model = problem.model_schedule.at(&problem.model, done, schedule.time(done));
        if !problem.model_schedule.is_constant() {
            backend.change(&model)?;
        }
        if schedule.observes(done) {
            let Sampled { samples, tokens, unresolved, reference_nodes } =
                sample(problem, backend, limit.as_deref(), &centres, &model, schedule.time(done)).await?;
            summary.reference_nodes = reference_nodes;
            for sample in &samples {
                on_event(Event::Sample(sample)).map_err(SimulateError::Observer)?;
            }
            if problem.quantities.contains(&Quantity::Tokens) {
                on_event(Event::Tokens(&tokens)).map_err(SimulateError::Observer)?;
            }
            if problem.quantities.contains(&Quantity::AttentionMatrix) {
                let view = View {
                    equation: problem.equation(),
                    model: &model,
                    time: schedule.time(done),
                    tokens: &tokens,
                    velocities: &[],
                    limit: None,
                    centres: &centres,
                };
                for replica in 0..problem.tokens.shape.replicas {
                    for head in 0..model.attention.heads.len() {
                        let weights = observables::attention_matrix(&view, replica, head);
                        let matrix = Event::Attention { replica, weights: &weights };
                        on_event(matrix).map_err(SimulateError::Observer)?;
                    }
                }
            }
            let unstable = ascent.iter_mut().flat_map(|ascent| ascent.warnings(&samples, done, backend.method()));
            let warnings = warnings(problem, backend.method()).chain(unresolved).chain(unstable);
            for warning in warnings.filter(|warning| said.is_news(warning)) {
                on_event(Event::Warning(&warning)).map_err(SimulateError::Observer)?;
            }
            for _ in [Need::Energy, Need::Velocities].into_iter().filter(|need| problem.needs(*need)) {
                summary.pairs = problem.pairs_per_evaluation().saturating_add(summary.pairs);
            }
            summary.time = schedule.time(done);
            let met = schedule.stop.as_ref().filter(|stop| samples.iter().all(|sample| holds(stop, sample)));
            if let Some(condition) = met {
                summary.ending = Ending::Stopped;
                on_event(Event::Stopped { time: summary.time, condition }).map_err(SimulateError::Observer)?;
            }
        }
        if done == schedule.steps || summary.ending == Ending::Stopped {
            summary.steps = controller.map(|controller| controller.counts);
            summary.marginal_error = backend.marginal_error().await?;
            if let Some(warning) = unbalanced(problem, summary.marginal_error) {
                on_event(Event::Warning(&warning)).map_err(SimulateError::Observer)?;
            }
            return Ok(summary);
        }
        let start = done;
        let taken = match &mut controller {
            None => advance(problem, backend, done, schedule.until_observed(done))?,
            Some(controller) => {
                let tries = |counts: StepCounts| counts.taken + counts.rejected;
                let before = tries(controller.counts);
                while !controller.step(problem, backend, done).await? {
                    on_event(Event::Steps(done)).map_err(SimulateError::Observer)?;
                }
                // One step is counted below.
                let others = tries(controller.counts) - before - 1;
                summary.pairs = problem.pairs_per_step().saturating_mul(others).saturating_add(summary.pairs);
                1
            }
        };
        for _ in 0..taken {
            done += 1;
            summary.pairs = problem.pairs_per_step().saturating_add(summary.pairs);
            on_event(Event::Steps(done)).map_err(SimulateError::Observer)?;
        }
        if let Some(limit) = &mut limit {
            limit.advance(start, done)?;
        }
    }
}

/// What is to be said about the way that sums are taken, and about the noise.
fn warnings(problem: &Problem, method: Method) -> impl Iterator<Item = Warning> {
    let warning = match method {
        Method::Direct | Method::Harmonic { .. } => None,
        Method::Abandoned { error } => Some(Warning::new(
            WarningKind::HarmonicsAbandoned,
            format!(
                "harmonics left an error of {error:.1e}, above the tolerance: went on with direct sums, which take longer; \
                 a larger tolerance keeps harmonics"
            ),
        )),
    };
    let of_noise = || problem.diffusion()?.warning(problem.schedule.step(0));
    warning.into_iter().chain(of_noise())
}

/// What is to be said where rows and columns did not both become stochastic.
fn unbalanced(problem: &Problem, marginal_error: Option<f64>) -> Option<Warning> {
    let Normalization::Sinkhorn { iterations, tolerance } = problem.model.attention.normalization else {
        return None;
    };
    let error = marginal_error.filter(|error| *error > tolerance)?;
    let sentence = format!(
        "attention.sinkhorn.iterations = {iterations} left log column sums of the attention matrix off by up to {error:.1e}, above \
         attention.sinkhorn.tolerance = {tolerance:e}; write more iterations, or a larger tolerance"
    );
    Some(Warning::new(WarningKind::Unbalanced, sentence))
}

struct Sampled {
    samples: Vec<Sample>,
    /// Empty unless a quantity reads them.
    tokens: Vec<f64>,
    /// About a distance that what stands for the limit is too far from it for.
    unresolved: Option<Warning>,
    reference_nodes: BTreeMap<String, usize>,
}

/// The measurements of every replica.
async fn sample(
    problem: &Problem,
    backend: &mut dyn Backend,
    limit: Option<&Limit>,
    centres: &[Centres],
    model: &Model,
    time: f64,
) -> Result<Sampled, SimulateError> {
    let mut statistics = backend.observe(&problem.quantities).await?;
    let diverged = |mean: &[f64]| mean.iter().any(|component| !component.is_finite());
    if let Some(replica) = statistics.iter().position(|statistics| diverged(&statistics.mean)) {
        return Err(SimulateError::NotFinite { replica, time });
    }
    let limit = match limit {
        Some(limit) if problem.needs(Need::Reference) => Some((limit, limit.tokens())),
        _ => None,
    };
    if limit.iter().any(|(_, tokens)| tokens.iter().any(|component| !component.is_finite())) {
        return Err(LimitError::NotFinite { time }.into());
    }
    let sources = problem.tokens.shape.sources();
    let resolutions: Vec<_> = problem.quantities.iter().map(|quantity| quantity.resolution(sources)).collect();
    let state = limit.as_ref().map(|(limit, tokens)| limit.state(tokens));
    let limit = state.map(|state| observables::Limit::new(state, &resolutions, sources)).transpose()?;
    if let Some(limit) = &limit {
        slice(problem, backend, limit, &mut statistics).await?;
    }
    let lacks = |quantity: &Quantity| statistics.iter().any(|statistics| quantity.is_lacking_in(statistics));
    let reads = problem.quantities.iter().any(lacks);
    let tokens = if reads { backend.tokens().await? } else { Vec::new() };
    let velocities = if problem.needs(Need::Velocities) { velocities(backend).await? } else { Vec::new() };
    let view = View {
        equation: problem.equation(),
        model,
        time,
        tokens: &tokens,
        velocities: &velocities,
        limit: limit.as_ref(),
        centres,
    };
    observables::measure_together(&problem.quantities, &view, &mut statistics)?;
    let sample = |(replica, statistics)| {
        let values = observables::values(&problem.quantities, &view, replica, statistics)?;
        Ok(Sample { replica, time, values })
    };
    let samples = statistics.iter().enumerate().map(sample).collect::<Result<Vec<Sample>, SimulateError>>()?;
    let unresolved = samples.iter().find_map(|sample| unresolved(&problem.quantities, &view, sample));
    let nodes = |limit: &observables::Limit<'_>| {
        let named = |quantity: &Quantity| {
            let names = columns(&[*quantity], problem.tokens.shape.dim);
            Some((names.into_iter().next()?, quantity.law_nodes(limit)?))
        };
        problem.quantities.iter().filter_map(named).collect()
    };
    let reference_nodes = limit.as_ref().map(nodes).unwrap_or_default();
    Ok(Sampled { samples, tokens, unresolved, reference_nodes })
}

/// dx/dt of all tokens, without noise.
async fn velocities(backend: &mut dyn Backend) -> Result<Vec<f64>, BackendError> {
    backend.evaluate(Point::State, Field::Tangent, 0)?;
    backend.velocity(0).await
}

/// What is to be said about distances from the limit.
fn unresolved(quantities: &[Quantity], view: &View, sample: &Sample) -> Option<Warning> {
    let observables::Unresolved { column, value, error } = observables::unresolved(quantities, view, &sample.values)?;
    let time = sample.time;
    let sentence = match error {
        Some(error) => format!(
            "{column} = {value:.3e} at time {time} may be off by {error:.1e}, which is how far what stands for the limit is from it; \
             an earlier time.end or a smaller attention.beta is resolved better"
        ),
        None => format!(
            "{column} is a distance from a sample of the limit, and reference.count tokens are some count^(-1/2) from it themselves; \
             write reference.kind = \"quadrature\" or \"zonal\", or a larger reference.count"
        ),
    };
    Some(Warning::new(WarningKind::LimitUnresolved, sentence))
}

/// Has the backend measure sliced distances from the limit where it holds the tokens, if it can.
async fn slice(
    problem: &Problem,
    backend: &mut dyn Backend,
    limit: &observables::Limit<'_>,
    statistics: &mut [Statistics],
) -> Result<(), SimulateError> {
    for quantity in &problem.quantities {
        let Quantity::SlicedW2Reference(SlicedW2Reference { projections }) = *quantity else { continue };
        let (slices, error) = limit.slices(projections)?;
        let line = |direction| slices.line(direction);
        let targets = SlicedTargets { directions: slices.directions(), values: slices.count(), law: &line };
        if let Some(costs) = backend.sliced_costs(&targets).await? {
            observables::add(*quantity, observables::roots(&costs, statistics.len(), error), statistics);
        }
    }
    Ok(())
}
