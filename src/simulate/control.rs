//! Steps of controlled error: stages are evaluated, their error is estimated, and only then do tokens move, or a shorter step is tried.

use serde::{Deserialize, Serialize};

use crate::{
    backend::{Backend, BackendError, Point},
    model::Field,
    problem::{Control, Problem},
};

/// How far below the tolerance the next step aims, and by how much lengths change at once.
const SAFETY: f64 = 0.9;
const LEAST_FACTOR: f64 = 0.2;
const MOST_FACTOR: f64 = 5.0;
/// Of the end of the schedule: steps that would be shorter get nowhere.
const SHORTEST: f64 = 1e-12;

/// Why there is no next step.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum StepError {
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(
        "time.step.tolerance = {tolerance:e} asks for steps shorter than {step:.1e} from time {time} on, where the equation is no smooth \
         function, or no longer finite; write a larger tolerance, a smaller attention.beta, or an earlier time.end"
    )]
    TooShort { time: f64, step: f64, tolerance: f64 },
}

/// How many steps there were, and how long they were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepCounts {
    /// By which tokens moved.
    pub taken: u64,
    /// Which were too long.
    pub rejected: u64,
    /// The shortest of those taken; 0 where there were none.
    pub shortest: f64,
    /// The longest of those taken.
    pub longest: f64,
}

impl StepCounts {
    /// Those taken and those that were too long.
    pub(super) fn tries(&self) -> u64 {
        self.taken + self.rejected
    }
}

/// Steps of controlled error so far, and the next one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepControl {
    /// The layer-time of the tokens, within a step of the schedule perhaps.
    pub time: f64,
    /// The length of the next step, unless a sample is nearer.
    pub next: f64,
    /// Those so far.
    pub counts: StepCounts,
}

/// The length of the next step, and what there was so far.
pub(super) struct Controller {
    control: Control,
    /// e, and the order of the scheme.
    error: &'static [f64],
    order: f64,
    /// The layer-time of the tokens.
    time: f64,
    /// The length of the next step, unless a sample is nearer.
    next: f64,
    pub counts: StepCounts,
}

impl Controller {
    /// None where steps have the lengths of the schedule.
    pub fn of(problem: &Problem) -> Option<Self> {
        let control = problem.schedule.control?;
        let tableau = problem.scheme.tableau();
        let (error, order) = (tableau.error?, f64::from(tableau.order));
        // Of velocities of order one.
        let next = control.first.unwrap_or(0.1 * control.tolerance.powf(order.recip()));
        let next = control.most.map_or(next, |most| next.min(most));
        Some(Self { control, error, order, time: 0.0, next, counts: StepCounts::default() })
    }

    pub fn snapshot(&self) -> StepControl {
        let Self { control: _, error: _, order: _, time, next, counts } = *self;
        StepControl { time, next, counts }
    }

    pub fn resume(&mut self, control: &StepControl) {
        let StepControl { time, next, counts } = *control;
        (self.time, self.next, self.counts) = (time, next, counts);
    }

    /// Takes one step, after as many tries as it needs, and says whether tokens are where step `done` of the schedule ends.
    pub async fn step(&mut self, problem: &Problem, backend: &mut dyn Backend, done: u64) -> Result<bool, StepError> {
        let (schedule, tolerance) = (&problem.schedule, self.control.tolerance);
        let end = schedule.time(done + 1);
        loop {
            let rest = end - self.time;
            // What rounding leaves before a sample is no step of its own.
            let is_last = self.next >= rest * (1.0 - 1e-9);
            let h = if is_last { rest } else { self.next };
            if !is_last && h < SHORTEST * schedule.end {
                return Err(StepError::TooShort { time: self.time, step: h, tolerance });
            }
            self.evaluate(problem, backend, done, h)?;
            let coefficients: Vec<f64> = self.error.iter().map(|e| h * e).collect();
            let error = backend.difference(&coefficients).await?;
            let factor = SAFETY * (tolerance / error).powf(self.order.recip());
            if error <= tolerance {
                let coefficients: Vec<f64> = problem.scheme.tableau().b.iter().map(|b| h * b).collect();
                backend.combine(&coefficients, Point::State, Field::Tangent)?;
                let StepCounts { taken, rejected: _, shortest, longest } = &mut self.counts;
                *shortest = if *taken == 0 { h } else { shortest.min(h) };
                (*taken, *longest) = (*taken + 1, longest.max(h));
                self.time = if is_last { end } else { self.time + h };
                let longer = h * factor.clamp(LEAST_FACTOR, MOST_FACTOR);
                // A step that a sample cut short says nothing against longer ones.
                let longer = if is_last { longer.max(self.next) } else { longer };
                self.next = self.control.most.map_or(longer, |most| longer.min(most));
                return Ok(is_last);
            }
            self.counts.rejected += 1;
            // What is no number is no estimate.
            self.next = h * if factor.is_finite() { factor.clamp(LEAST_FACTOR, SAFETY) } else { LEAST_FACTOR };
        }
    }

    /// All stages of a step of length `h`, from where tokens are.
    fn evaluate(&self, problem: &Problem, backend: &mut dyn Backend, done: u64, h: f64) -> Result<(), StepError> {
        let (schedule, tableau) = (&problem.model_schedule, problem.scheme.tableau());
        for (stage, row) in tableau.a.iter().enumerate() {
            let point = if stage == 0 { Point::State } else { Point::Stage };
            if stage > 0 {
                let coefficients: Vec<f64> = row.iter().map(|a| h * a).collect();
                backend.combine(&coefficients, Point::Stage, Field::Tangent)?;
            }
            if !schedule.is_constant() {
                let time = self.time + tableau.node(stage) * h;
                backend.change(&schedule.at(&problem.model, done, time))?;
            }
            backend.evaluate(point, Field::Tangent, stage)?;
        }
        Ok(())
    }
}
