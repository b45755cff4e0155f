//! Tokens over time, on their way to whoever keeps them.

use super::{Event, error::SimulateError, simulation::Simulation};

use crate::problem::Problem;

/// Where events go.
pub(super) type Reporter<'a> = &'a mut dyn FnMut(Event<'_>) -> Result<(), SimulateError>;

/// Which tokens of a problem are kept.
pub(super) struct Kept<'a> {
    problem: &'a Problem,
    /// Their numbers in each replica, ascending, where they are not all.
    numbers: Option<Vec<usize>>,
}

impl<'a> Kept<'a> {
    pub(super) fn of(problem: &'a Problem) -> Self {
        let numbers = problem.kept_tokens().and_then(|tokens| tokens.numbers(problem.tokens.shape.count));
        Self { problem, numbers }
    }

    /// Reports those that are kept, if any are: from `read` where all tokens were read for a measurement, else run by run from the backend.
    pub(super) async fn report(
        &self,
        simulation: &mut Simulation<'_>,
        read: &[f64],
        on_event: Reporter<'_>,
    ) -> Result<(), SimulateError> {
        if self.problem.kept_tokens().is_none() {
            return Ok(());
        }
        let (shape, time) = (self.problem.tokens.shape, simulation.time());
        let mut first = 0;
        for tokens in shape.segments() {
            let own;
            let coordinates = match read.get(tokens.start * shape.dim..tokens.end * shape.dim) {
                Some(coordinates) => coordinates,
                None => {
                    own = simulation.backend().tokens_of(tokens.clone()).await?;
                    &own
                }
            };
            let Some(numbers) = &self.numbers else {
                on_event(Event::Tokens { time, first: tokens.start, coordinates })?;
                continue;
            };
            let mut kept = Vec::new();
            for (replica, run) in shape.of_replicas(&tokens) {
                let [from, to] = [run.start, run.end].map(|end| numbers.partition_point(|number| *number < end));
                for number in &numbers[from..to] {
                    let at = (replica * shape.count + number - tokens.start) * shape.dim;
                    kept.extend_from_slice(&coordinates[at..at + shape.dim]);
                }
            }
            if !kept.is_empty() {
                on_event(Event::Tokens { time, first, coordinates: &kept })?;
                first += kept.len() / shape.dim;
            }
        }
        Ok(())
    }
}
