//! The loop: steps and observation times, once for every scheme and every backend; or by hand, as a [`Simulation`].
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
mod error;
mod measure;
mod simulation;
#[cfg(test)]
mod tests;

pub use self::{
    control::{StepCounts, StepError},
    error::SimulateError,
    simulation::Simulation,
};

use std::{collections::BTreeMap, error::Error};

use self::{ascent::Ascent, measure::Measured};
use crate::{
    backend::{Backend, Method},
    expression::Expression,
    limit::Limit,
    model::Normalization,
    observables::{self, Quantity, View},
    observe::Sample,
    problem::Problem,
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
    limit: Option<&mut Limit>,
    mut on_event: impl FnMut(Event) -> Result<(), Box<dyn Error + Send + Sync>>,
) -> Result<Summary, SimulateError> {
    let schedule = &problem.schedule;
    let (mut summary, mut said) = (Summary::default(), Said::default());
    let mut ascent = Ascent::of(problem, backend.identity().precision);
    let mut simulation = Simulation::new(problem, backend, limit);
    let mut on_event = |event: Event<'_>| on_event(event).map_err(SimulateError::Observer);
    if schedule.stop.is_some() {
        summary.ending = Ending::Unmet;
    }
    loop {
        let done = simulation.steps();
        if schedule.observes(done) {
            let Measured { samples, tokens, unresolved, reference_nodes } = simulation.measure().await?;
            summary.reference_nodes = reference_nodes;
            for sample in &samples {
                on_event(Event::Sample(sample))?;
            }
            if problem.quantities.contains(&Quantity::Tokens) {
                on_event(Event::Tokens(&tokens))?;
            }
            if problem.quantities.contains(&Quantity::AttentionMatrix) {
                attention(problem, &simulation, &tokens, &mut on_event)?;
            }
            let method = simulation.backend().method();
            let unstable = ascent.iter_mut().flat_map(|ascent| ascent.warnings(&samples, done, method));
            let warnings = warnings(problem, method).chain(unresolved).chain(unstable);
            for warning in warnings.filter(|warning| said.is_news(warning)) {
                on_event(Event::Warning(&warning))?;
            }
            summary.time = simulation.time();
            if let Some(condition) = schedule.stop.as_ref().filter(|_| simulation.stops(&samples)) {
                summary.ending = Ending::Stopped;
                on_event(Event::Stopped { time: summary.time, condition })?;
            }
        }
        if simulation.is_at_end() || summary.ending == Ending::Stopped {
            (summary.pairs, summary.steps) = (simulation.pairs(), simulation.step_counts());
            summary.marginal_error = simulation.backend().marginal_error().await?;
            if let Some(warning) = unbalanced(problem, summary.marginal_error) {
                on_event(Event::Warning(&warning))?;
            }
            return Ok(summary);
        }
        // Steps of controlled error may be many until the next one of the schedule is done.
        while simulation.step(schedule.until_observed(done)).await? == 0 {
            on_event(Event::Steps(done))?;
        }
        (done + 1..=simulation.steps()).try_for_each(|steps| on_event(Event::Steps(steps)))?;
    }
}

/// Reports the matrices of all replicas and heads.
fn attention(
    problem: &Problem,
    simulation: &Simulation<'_>,
    tokens: &[f64],
    on_event: &mut impl FnMut(Event<'_>) -> Result<(), SimulateError>,
) -> Result<(), SimulateError> {
    let model = &simulation.model();
    let (time, centres) = (simulation.time(), simulation.centres());
    let view = View { equation: problem.equation(), model, time, tokens, velocities: &[], limit: None, centres };
    for replica in 0..problem.tokens.shape.replicas {
        for head in 0..model.attention.heads.len() {
            let weights = observables::attention_matrix(&view, replica, head);
            on_event(Event::Attention { replica, weights: &weights })?;
        }
    }
    Ok(())
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
