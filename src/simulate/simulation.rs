//! Tokens on their way: steps and measurements, one after the other, as whoever holds them asks.

use super::{
    control::{Controller, StepCounts},
    error::SimulateError,
    measure::{Measured, measure},
    snapshot::{LimitState, Snapshot},
};
use crate::{
    backend::{Backend, advance},
    expression::Expression,
    limit::{Limit, LimitError},
    model::Model,
    observables::{self, Centres, Need, columns},
    observe::Sample,
    problem::Problem,
    warning::Said,
};

/// The tokens of a problem, held by a backend, and how far they have come.
///
/// ```
/// use tokenfield::{backend::cpu, experiment::Experiment, simulate::Simulation};
///
/// let experiment = Experiment::parse("
///     name = \"by-hand\"
///     tokens = { count = 64, dim = 3, initial = { law = \"uniform\" } }
///     attention = { beta = 4.0, normalization = \"softmax\" }
///     time = { scheme = \"heun\", step = 0.1, end = 2.0 }
///     observe = { every = 0.5, quantities = [\"energy\"] }
/// ")?;
/// let problem = experiment.resolve()?;
/// let mut backend = cpu::double(&problem)?;
/// let mut simulation = Simulation::new(&problem, backend.as_mut(), None);
/// while simulation.steps() < 7 {
///     pollster::block_on(simulation.step(7 - simulation.steps()))?;
/// }
/// let samples = pollster::block_on(simulation.observe())?;
/// assert_eq!(samples[0].time, 0.7);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Simulation<'a> {
    problem: &'a Problem,
    backend: &'a mut dyn Backend,
    limit: Option<&'a mut Limit>,
    /// Steps that the limit has been brought after: those before the last measurement, one by one, so that a solver with steps of its own goes
    /// the same way whatever a backend takes at once.
    limit_steps: u64,
    steps: u64,
    pairs: u64,
    controller: Option<Controller>,
    centres: Vec<Centres>,
}

impl<'a> Simulation<'a> {
    /// The tokens of `problem` at layer-time zero, which `backend` holds, and beside them a limit that was opened for it.
    pub fn new(problem: &'a Problem, backend: &'a mut dyn Backend, limit: Option<&'a mut Limit>) -> Self {
        let centres = observables::centres(&problem.quantities, &problem.equation());
        let controller = Controller::of(problem);
        Self { problem, backend, limit, limit_steps: 0, steps: 0, pairs: 0, controller, centres }
    }

    /// The same tokens where `backend` holds them after `steps` steps of the schedule, of lengths that are given.
    pub fn resumed(problem: &'a Problem, backend: &'a mut dyn Backend, steps: u64) -> Self {
        Self { steps, ..Self::new(problem, backend, None) }
    }

    /// The same tokens where `snapshot` was taken, which `backend` holds, and a limit that was opened for the problem.
    ///
    /// A backend that computes as the one before does goes on byte for byte: random numbers are functions of the step.
    pub fn at(
        problem: &'a Problem,
        backend: &'a mut dyn Backend,
        limit: Option<&'a mut Limit>,
        snapshot: &Snapshot,
    ) -> Result<Self, LimitError> {
        let Snapshot { steps, pairs, sums, control, limit: limit_state, .. } = snapshot;
        backend.resume_sums(sums);
        let mut simulation = Self { steps: *steps, pairs: *pairs, ..Self::new(problem, backend, limit) };
        if let (Some(controller), Some(control)) = (&mut simulation.controller, control) {
            controller.resume(control);
        }
        match (simulation.limit.as_deref_mut(), limit_state) {
            (Some(limit), Some(LimitState { steps, limit: snapshot })) => {
                limit.resume(snapshot)?;
                simulation.limit_steps = *steps;
            }
            (Some(_), None) => return Err(LimitError::Unlike { kept: 0 }),
            (None, _) => {}
        }
        Ok(simulation)
    }

    /// Where it stands: all that [`at`](Self::at) goes on from, but the tokens, which [`Backend::tokens`] has. What only a loop knows, such as
    /// which warnings were given, is as at the start.
    pub async fn snapshot(&mut self) -> Result<Snapshot, SimulateError> {
        let Self { problem, backend, limit, limit_steps, steps, pairs, controller, centres: _ } = self;
        let limit_state = limit.as_ref().map(|limit| LimitState { steps: *limit_steps, limit: limit.snapshot() });
        Ok(Snapshot {
            steps: *steps,
            time: controller.as_ref().map_or(problem.schedule.time(*steps), |controller| controller.snapshot().time),
            is_measured: false,
            pairs: *pairs,
            sums: backend.sums().await?,
            marginal_error: backend.marginal_error().await?,
            control: controller.as_ref().map(Controller::snapshot),
            energies: None,
            said: Said::default(),
            limit: limit_state,
        })
    }

    /// Steps of the schedule that are done.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The layer-time of the tokens.
    pub fn time(&self) -> f64 {
        self.problem.schedule.time(self.steps)
    }

    /// Whether there are no more steps in the schedule.
    pub fn is_at_end(&self) -> bool {
        self.steps == self.problem.schedule.steps
    }

    /// Pairs (i, j) that one step sums over.
    pub fn pairs_per_step(&self) -> u64 {
        self.problem.pairs_per_step()
    }

    /// Pairs (i, j) that were summed over, by whichever algorithm.
    pub fn pairs(&self) -> u64 {
        self.pairs
    }

    /// Of steps of controlled error.
    pub fn step_counts(&self) -> Option<StepCounts> {
        self.controller.as_ref().map(|controller| controller.counts)
    }

    /// Who holds the tokens.
    pub fn backend(&mut self) -> &mut dyn Backend {
        self.backend
    }

    /// The equation at the layer-time of the tokens.
    pub fn model(&self) -> Model {
        self.problem.model_schedule.at(&self.problem.model, self.steps, self.time()).into_owned()
    }

    /// Where points of the cloud are expected, for the quantities that know.
    pub(super) fn centres(&self) -> &[Centres] {
        &self.centres
    }

    /// The measurements of every replica, in the order of the quantities of the problem.
    pub async fn observe(&mut self) -> Result<Vec<Sample>, SimulateError> {
        Ok(self.measure().await?.samples)
    }

    /// Whether the condition to stop at, if there is one, holds in all of these samples.
    pub fn stops(&self, samples: &[Sample]) -> bool {
        let columns = columns(&self.problem.quantities, self.problem.tokens.shape.dim);
        let holds = |stop: &Expression, sample: &Sample| stop.holds(&|name| sample.value(&columns, name));
        self.problem.schedule.stop.as_ref().is_some_and(|stop| samples.iter().all(|sample| holds(stop, sample)))
    }

    pub(super) async fn measure(&mut self) -> Result<Measured, SimulateError> {
        let Self { problem, backend, limit, .. } = self;
        if let Some(limit) = limit.as_deref_mut() {
            for step in self.limit_steps..self.steps {
                limit.advance(step, step + 1)?;
            }
            self.limit_steps = self.steps;
        }
        let time = problem.schedule.time(self.steps);
        let model = problem.model_schedule.at(&problem.model, self.steps, time);
        if !problem.model_schedule.is_constant() {
            backend.change(&model)?;
        }
        let measured = measure(problem, &mut **backend, limit.as_deref(), &self.centres, &model, time).await?;
        let sums = [Need::Energy, Need::Velocities].into_iter().filter(|need| problem.needs(*need)).count() as u64;
        self.pairs = problem.pairs_per_evaluation().saturating_mul(sums).saturating_add(self.pairs);
        Ok(measured)
    }

    /// Takes steps of the schedule, at most `most` of them and none beyond its end, and returns how many were completed: at least one, as long
    /// as there are any, but for steps of controlled error, where zero means that tokens are on the way to the next one.
    pub async fn step(&mut self, most: u64) -> Result<u64, SimulateError> {
        let Self { problem, backend, controller, steps, .. } = self;
        let most = most.min(problem.schedule.steps - *steps);
        if most == 0 {
            return Ok(0);
        }
        if !problem.model_schedule.is_constant() {
            backend.change(&problem.model_schedule.at(&problem.model, *steps, problem.schedule.time(*steps)))?;
        }
        let (start, tries) = (*steps, controller.as_ref().map_or(0, |controller| controller.counts.tries()));
        let taken = match controller {
            None => advance(problem, &mut **backend, start, most)?,
            Some(controller) => u64::from(controller.step(problem, &mut **backend, start).await?),
        };
        *steps += taken;
        let computed = controller.as_ref().map_or(taken, |controller| controller.counts.tries() - tries);
        self.pairs = problem.pairs_per_step().saturating_mul(computed).saturating_add(self.pairs);
        Ok(taken)
    }
}
