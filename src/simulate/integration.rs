//! A problem on its way to the end of its schedule: steps, samples and what is to be said of them.

use std::error::Error;

use super::{
    Ending, Event, Summary,
    ascent::Ascent,
    error::SimulateError,
    kept::{Kept, Reporter},
    measure::Measured,
    simulation::Simulation,
    snapshot::Snapshot,
};
use crate::{
    backend::{Backend, Method},
    limit::{Limit, LimitError},
    model::Normalization,
    observables::{self, Quantity, View},
    problem::Problem,
    warning::{Said, Warning, WarningKind},
};

/// What is told of the events; an error ends the integration.
pub type Listener<'a> = &'a mut dyn FnMut(Event<'_>) -> Result<(), Box<dyn Error + Send + Sync>>;

/// The tokens of a problem on their way to the end of its schedule, or to the first sample at which its condition to stop at holds; between
/// two steps it can be left, and taken up again from a [`Snapshot`].
pub struct Integration<'a> {
    problem: &'a Problem,
    simulation: Simulation<'a>,
    kept: Kept<'a>,
    ascent: Option<Ascent>,
    said: Said,
    summary: Summary,
    /// Whether the tokens have been measured where they are.
    is_measured: bool,
    /// Of steps that another backend took.
    marginal_error: Option<f64>,
}

impl<'a> Integration<'a> {
    /// The tokens of `problem` at layer-time zero, which `backend` holds, and beside them a limit that was opened for it.
    pub fn new(problem: &'a Problem, backend: &'a mut dyn Backend, limit: Option<&'a mut Limit>) -> Self {
        let ascent = Ascent::of(problem, backend.identity().precision);
        let simulation = Simulation::new(problem, backend, limit);
        let ending = if problem.schedule.stop.is_some() { Ending::Unmet } else { Ending::Scheduled };
        Self {
            problem,
            simulation,
            kept: Kept::of(problem),
            ascent,
            said: Said::default(),
            summary: Summary { ending, ..Summary::default() },
            is_measured: false,
            marginal_error: None,
        }
    }

    /// The tokens of `problem` where `snapshot` was taken, which `backend` holds, and a limit that was opened for the problem.
    pub fn resumed(
        problem: &'a Problem,
        backend: &'a mut dyn Backend,
        limit: Option<&'a mut Limit>,
        snapshot: &Snapshot,
    ) -> Result<Self, LimitError> {
        let mut ascent = Ascent::of(problem, backend.identity().precision);
        if let (Some(ascent), Some(energies)) = (&mut ascent, &snapshot.energies) {
            ascent.resume(energies);
        }
        let ending = if problem.schedule.stop.is_some() { Ending::Unmet } else { Ending::Scheduled };
        Ok(Self {
            problem,
            simulation: Simulation::at(problem, backend, limit, snapshot)?,
            kept: Kept::of(problem),
            ascent,
            said: snapshot.said.clone(),
            summary: Summary { ending, ..Summary::default() },
            is_measured: snapshot.is_measured,
            marginal_error: snapshot.marginal_error,
        })
    }

    /// Where it stands, between two steps.
    pub async fn snapshot(&mut self) -> Result<Snapshot, SimulateError> {
        let snapshot = self.simulation.snapshot().await?;
        Ok(Snapshot {
            is_measured: self.is_measured,
            marginal_error: self.larger_marginal_error(snapshot.marginal_error),
            energies: self.ascent.as_ref().map(Ascent::snapshot),
            said: self.said.clone(),
            ..snapshot
        })
    }

    /// Steps of the schedule that are done.
    pub fn steps(&self) -> u64 {
        self.simulation.steps()
    }

    /// Who holds the tokens.
    pub fn backend(&mut self) -> &mut dyn Backend {
        self.simulation.backend()
    }

    /// What is known at the end.
    pub fn into_summary(self) -> Summary {
        self.summary
    }

    /// Measures the tokens if that is due, and takes steps, up to the next measurement at most; false where there are none left to take.
    pub async fn advance(&mut self, on_event: Listener<'_>) -> Result<bool, SimulateError> {
        let on_event = &mut |event: Event<'_>| on_event(event).map_err(SimulateError::Observer);
        let done = self.simulation.steps();
        if !self.is_measured && self.problem.schedule.observes(done) {
            self.measure(on_event).await?;
        } else if !self.is_measured && self.problem.keeps_tokens(done) {
            self.kept.report(&mut self.simulation, &[], on_event).await?;
        }
        self.is_measured = true;
        if self.simulation.is_at_end() || self.summary.ending == Ending::Stopped {
            self.finish(on_event).await?;
            return Ok(false);
        }
        // A step of controlled error may lead to the end of none of the schedule.
        let taken = self.simulation.step(self.problem.until_looked_at(done)).await?;
        if taken == 0 {
            on_event(Event::Steps(done))?;
            return Ok(true);
        }
        self.is_measured = false;
        (done + 1..=done + taken).try_for_each(|steps| on_event(Event::Steps(steps)))?;
        Ok(true)
    }

    async fn measure(&mut self, on_event: Reporter<'_>) -> Result<(), SimulateError> {
        let Self { problem, simulation, kept, ascent, said, summary, .. } = self;
        let Measured { samples, tokens, unresolved, reference_nodes } = simulation.measure().await?;
        summary.reference_nodes = reference_nodes;
        for sample in &samples {
            on_event(Event::Sample(sample))?;
        }
        let stop = problem.schedule.stop.as_ref().filter(|_| simulation.stops(&samples));
        if problem.keeps_tokens(simulation.steps()) || stop.is_some() {
            kept.report(simulation, &tokens, on_event).await?;
        }
        if problem.quantities.contains(&Quantity::AttentionMatrix) {
            attention(problem, simulation, &tokens, on_event)?;
        }
        let (done, method) = (simulation.steps(), simulation.backend().method());
        let unstable = ascent.iter_mut().flat_map(|ascent| ascent.warnings(&samples, done, method));
        let warnings = warnings(problem, method).chain(unresolved).chain(unstable);
        for warning in warnings.filter(|warning| said.is_news(warning)) {
            on_event(Event::Warning(&warning))?;
        }
        summary.time = simulation.time();
        if let Some(condition) = stop {
            summary.ending = Ending::Stopped;
            on_event(Event::Stopped { time: summary.time, condition })?;
        }
        Ok(())
    }

    async fn finish(&mut self, on_event: Reporter<'_>) -> Result<(), SimulateError> {
        let error = self.simulation.backend().marginal_error().await?;
        self.summary.marginal_error = self.larger_marginal_error(error);
        (self.summary.pairs, self.summary.steps) = (self.simulation.pairs(), self.simulation.step_counts());
        match unbalanced(self.problem, self.summary.marginal_error) {
            Some(warning) => on_event(Event::Warning(&warning)),
            None => Ok(()),
        }
    }

    /// The larger of this error and that of steps before the integration was taken up.
    fn larger_marginal_error(&self, error: Option<f64>) -> Option<f64> {
        let before = self.marginal_error.unwrap_or(0.0);
        error.map(|error| error.max(before))
    }
}

/// Reports the matrices of all replicas and heads.
fn attention(
    problem: &Problem,
    simulation: &Simulation<'_>,
    tokens: &[f64],
    on_event: Reporter<'_>,
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
pub(super) fn unbalanced(problem: &Problem, marginal_error: Option<f64>) -> Option<Warning> {
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
