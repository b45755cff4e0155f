//! The share that one process has in the tokens of a problem, where several hold them together.
//!
//! A share is a run of whole spans of the tokens. What is known of one token is computed where it is held; what is a sum over all is
//! added span by span in their order, or, pair by pair, from keys that go round in their order: so that velocities and
//! observations have the bytes of one process that holds all tokens. Every verb is called by all processes, with the same arguments.

mod check;
mod evaluate;
mod observe;
mod pairs;

use std::{ops::Range, sync::Arc};

use super::{
    part::{Join, Part},
    problem::Cpu,
};
use crate::{
    backend::{Answer, Backend, BackendError, Identity, Method, Point, SumsState, longest, require_stages},
    cancel::Cancel,
    exchange::{Exchange, allgather_blocks, allgather_numbers},
    model::{Field, Model},
    observables::{Need, Quantity},
    observe::Statistics,
    problem::Problem,
    sums::{
        Real,
        columns::{Columns, PADDING},
        instructions::Instructions,
    },
    tokens::Shape,
};

/// What the process of `exchange` holds of the tokens of one replica, in precision `T`.
pub(crate) struct Share<T: Real> {
    cpu: Cpu<T>,
    exchange: Arc<dyn Exchange>,
}

impl<T: Real> Share<T> {
    /// Takes its tokens at time zero, of a problem that has been checked: those of the problem are not looked at. There are at least
    /// as many spans as processes.
    pub(crate) fn new(
        problem: &Problem,
        coordinates: Vec<f64>,
        exchange: Arc<dyn Exchange>,
    ) -> Result<Self, BackendError> {
        let tokens = &problem.tokens;
        let part = Part::of_rank(tokens, exchange.rank(), exchange.ranks());
        let own = part.tokens(coordinates, &tokens.weights);
        Ok(Self { cpu: Cpu::of_part(problem, part, &own, Instructions::detect())?, exchange })
    }

    fn together(&self) -> Together<'_, T> {
        Together { cpu: &self.cpu, exchange: &*self.exchange }
    }

    /// The rows of tokens of all processes, on the first of them; nothing on others.
    fn collected(&self, rows: &[f64]) -> Result<Vec<f64>, BackendError> {
        let all = self.exchange.gather(bytemuck::cast_slice(rows))?;
        Ok(all.iter().flat_map(|rows| bytemuck::pod_collect_to_vec::<u8, f64>(rows)).collect())
    }
}

/// Which coordinates each of so many processes holds, out of those of all tokens of that shape; an error if tokens are too few for them.
pub(crate) fn runs(whole: Shape, ranks: usize) -> Result<Vec<Range<usize>>, BackendError> {
    let most = Part::most_ranks(whole);
    if ranks > most {
        return Err(BackendError::TooManyRanks { ranks, most });
    }
    let of_rank = |rank| {
        let run = Part::run_of(whole, rank, ranks);
        run.start * whole.dim..run.end * whole.dim
    };
    Ok((0..ranks).map(of_rank).collect())
}

/// What a process has, and how it hears of what others have.
struct Together<'a, T: Real> {
    cpu: &'a Cpu<T>,
    exchange: &'a dyn Exchange,
}

impl<T: Real> Join for Together<'_, T> {
    type Error = BackendError;

    fn join(&self, own: Vec<Vec<f64>>) -> Result<Vec<Vec<f64>>, BackendError> {
        Ok(allgather_blocks(self.exchange, own)?)
    }
}

impl<T: Real> Backend for Share<T> {
    fn identity(&self) -> Identity {
        let identity = self.cpu.identity();
        Identity { adapter: format!("{}, {} processes", identity.adapter, self.exchange.ranks()), ..identity }
    }

    fn method(&self) -> Method {
        self.cpu.method()
    }

    fn sums(&mut self) -> Answer<'_, SumsState> {
        self.cpu.sums()
    }

    fn resume_sums(&mut self, sums: &SumsState) {
        self.cpu.resume_sums(sums);
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        self.cpu.change(model)
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        require_stages("cpu", stage.saturating_add(1), self.cpu.velocities.len())?;
        let mut velocities = std::mem::replace(&mut self.cpu.velocities[stage], Columns::zeros(0, 1, 0));
        let is_found = self.together().field(point, field, &mut velocities);
        self.cpu.velocities[stage] = velocities;
        if !is_found? {
            self.cpu.widen();
            return self.evaluate(point, field, stage);
        }
        Ok(())
    }

    fn fluctuate(&mut self, _point: Point, _step: u64, _stage: usize) -> Result<(), BackendError> {
        let remedy = "leave out [noise], or run in one process";
        Err(BackendError::Unsupported { backend: "cpu", term: "noise among several processes", remedy })
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, field: Field) -> Result<(), BackendError> {
        self.cpu.combine(coefficients, into, field)
    }

    fn difference<'a>(&'a mut self, coefficients: &'a [f64]) -> Answer<'a, f64> {
        Box::pin(async move {
            let own = self.cpu.difference(coefficients).await?;
            let all = allgather_numbers(&*self.exchange, &[own])?.concat();
            Ok(all.into_iter().fold(0.0, |largest, of_rank| longest(largest, &[of_rank])))
        })
    }

    fn end_with(&mut self, cancel: &Cancel) {
        self.cpu.end_with(cancel);
    }

    fn wait(&mut self) -> Answer<'_, ()> {
        Box::pin(async move { Ok(()) })
    }

    fn observe<'a>(&'a mut self, quantities: &'a [Quantity]) -> Answer<'a, Vec<Statistics>> {
        Box::pin(async move {
            let mut statistics = self.together().statistics(quantities)?;
            let exchange = self.exchange.clone();
            self.cpu.check_harmonics(|cpu| Together { cpu, exchange: &*exchange }.sampled_error())?;
            if quantities.iter().any(|quantity| quantity.needs(Need::Energy)) {
                statistics.log_energy = self.together().log_energy()?;
            }
            Ok(vec![statistics])
        })
    }

    fn velocity(&mut self, stage: usize) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            require_stages("cpu", stage.saturating_add(1), self.cpu.velocities.len())?;
            self.collected(&self.cpu.rows(&self.cpu.velocities[stage]))
        })
    }

    fn tokens_of(&mut self, tokens: Range<usize>) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            let Part { shape: Shape { count, .. }, first, .. } = self.cpu.part;
            let own = |token: usize| token.saturating_sub(first).min(count);
            let rows = self.cpu.tokens_of(own(tokens.start)..own(tokens.end)).await?;
            self.collected(&rows)
        })
    }
}
