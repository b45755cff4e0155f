//! What the loop asks of a backend.

use std::ops::Range;

use rayon::prelude::*;

use super::{
    arithmetic, describe,
    ensemble::{self},
    geometry::Retraction,
    motion::Advance,
    noise,
    observe::Wanted,
    problem::{BLOCK, Cpu, PAIRS},
};
use crate::{
    backend::{Answer, Backend, BackendError, Identity, Method, Point, SumsState, longest, require_stages},
    cancel::Cancel,
    diffusion::Diffusion,
    model::{Field, Model},
    observables::{Need, Quantity},
    observe::Statistics,
    scheme::Tableau,
    sums::{Real, columns::Columns},
    tokens::Shape,
};

const NAME: &str = "cpu";

impl<T: Real> Backend for Cpu<T> {
    fn identity(&self) -> Identity {
        Identity {
            backend: NAME,
            adapter: describe(),
            driver: String::new(),
            arithmetic: arithmetic(),
            precision: T::PRECISION,
        }
    }

    fn method(&self) -> Method {
        self.method
    }

    fn sums(&mut self) -> Answer<'_, SumsState> {
        Box::pin(async move { Ok(self.sums_state()) })
    }

    fn resume_sums(&mut self, sums: &SumsState) {
        self.take_up(sums);
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        self.model = model.clone();
        self.prepare();
        Ok(())
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        require_stages(NAME, stage.saturating_add(1), self.velocities.len())?;
        let mut velocities = std::mem::replace(&mut self.velocities[stage], Columns::zeros(0, 1, 0));
        let directions = self.directions(self.at(point));
        let from = directions.as_ref().unwrap_or(self.at(point));
        let is_found = if self.is_ensemble && field != Field::Perceptron {
            self.evaluate_ensemble(from, field, &mut velocities);
            true
        } else {
            self.evaluate_replicas(from, field, &mut velocities)
        };
        self.velocities[stage] = velocities;
        self.require_completed()?;
        if !is_found {
            self.widen();
            return self.evaluate(point, field, stage);
        }
        Ok(())
    }

    fn fluctuate(&mut self, point: Point, step: u64, stage: usize) -> Result<(), BackendError> {
        require_stages(NAME, stage.saturating_add(1), self.velocities.len())?;
        let Some(noise) = &self.model.noise else {
            self.velocities[stage].clear();
            return Ok(());
        };
        let mut velocities = std::mem::replace(&mut self.velocities[stage], Columns::zeros(0, 1, 0));
        let replicas: Vec<_> = velocities.replicas_mut().enumerate().collect();
        replicas.into_par_iter().for_each(|(replica, mut velocity)| {
            let rows = self.at(point).replica(replica).rows(self.shape.dim, self.shape.count);
            velocity.set_rows(self.shape.dim, &noise::field(noise, step, replica, self.shape, &rows));
        });
        self.velocities[stage] = velocities;
        Ok(())
    }

    fn diffuse(&mut self, diffusion: &Diffusion, first: u64) -> Result<(), BackendError> {
        let Some(noise) = &self.model.noise else { return Ok(()) };
        let Shape { dim, count, .. } = self.shape;
        let replicas: Vec<_> = self.state.replicas_mut().enumerate().collect();
        replicas.into_par_iter().for_each(|(replica, mut tokens)| {
            let mut rows = tokens.rows(dim);
            rows.truncate(count * dim);
            tokens.set_rows(dim, &noise::diffuse(noise, diffusion, first, replica, self.shape, &rows));
            if let Some(frozen) = self.frozen.get(replica) {
                tokens.set_rows(dim, frozen);
            }
            tokens.pad(count);
        });
        Ok(())
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, field: Field) -> Result<(), BackendError> {
        require_stages(NAME, coefficients.len(), self.velocities.len())?;
        let retraction = &Retraction::after(&self.model.geometry, field);
        let (instructions, velocities) = (self.instructions, &self.velocities);
        let (target, from) = match into {
            Point::State => (&mut self.state, None),
            Point::Stage => (&mut self.stage, Some(&self.state)),
        };
        let velocities = &velocities[..coefficients.len()];
        let advance = |replica, start, target| {
            instructions.run(Advance { retraction, from, coefficients, velocities, replica, start, target });
        };
        let replicas: Vec<_> = target.replicas_mut().enumerate().collect();
        replicas.into_par_iter().for_each(|(replica, target)| {
            if target.len() <= BLOCK {
                advance(replica, 0, target);
            } else {
                target.parts(BLOCK).enumerate().for_each(|(index, target)| advance(replica, index * BLOCK, target));
            }
        });
        // What rounding makes of padding must not decide what becomes of tokens.
        for (replica, mut tokens) in target.replicas_mut().enumerate() {
            if let Some(frozen) = self.frozen.get(replica) {
                tokens.set_rows(self.shape.dim, frozen);
            }
            tokens.pad(self.shape.count);
        }
        Ok(())
    }

    fn difference<'a>(&'a mut self, coefficients: &'a [f64]) -> Answer<'a, f64> {
        Box::pin(async move {
            require_stages(NAME, coefficients.len(), self.velocities.len())?;
            let Shape { replicas, count, dim, .. } = self.shape;
            let of_replica = |replica| {
                let mut sums = vec![0.0; count * dim];
                for (coefficient, velocities) in coefficients.iter().zip(&self.velocities) {
                    let rows = velocities.replica(replica).rows(dim, count);
                    sums.iter_mut().zip(rows).for_each(|(sum, velocity)| *sum += coefficient * velocity);
                }
                sums.chunks_exact(dim).fold(0.0, longest)
            };
            let largest: Vec<f64> = (0..replicas).into_par_iter().map(of_replica).collect();
            Ok(largest.into_iter().fold(0.0, |largest, of_replica| longest(largest, &[of_replica])))
        })
    }

    fn advance(&mut self, tableau: &Tableau, h: f64, field: Field, most: u64) -> Result<u64, BackendError> {
        if !self.is_ensemble {
            return Ok(0);
        }
        let Shape { replicas, count, .. } = self.shape;
        let pairs = replicas * count * count * tableau.stages() * self.heads.len().max(1);
        let steps = (PAIRS / pairs as u64).clamp(1, most);
        let mut state = std::mem::replace(&mut self.state, Columns::zeros(0, 1, 0));
        let ensemble = self.ensemble(field);
        let mut tokens: Vec<_> = state.replicas_mut().collect();
        tokens.par_chunks_mut(ensemble::REPLICAS).enumerate().for_each(|(group, tokens)| {
            if !self.cancel.is_requested() {
                ensemble.advance(self.instructions, group * ensemble::REPLICAS, tokens, tableau, h, steps);
            }
        });
        self.state = state;
        self.require_completed()?;
        Ok(steps)
    }

    fn end_with(&mut self, cancel: &Cancel) {
        self.cancel = cancel.clone();
    }

    fn wait(&mut self) -> Answer<'_, ()> {
        Box::pin(async move { Ok(()) })
    }

    fn observe<'a>(&'a mut self, quantities: &'a [Quantity]) -> Answer<'a, Vec<Statistics>> {
        Box::pin(async move {
            let mut statistics = self.measures().moments(Wanted::by(quantities));
            self.check_harmonics(|cpu| Ok(cpu.sampled_error()))?;
            if quantities.iter().any(|quantity| quantity.needs(Need::Energy)) {
                let directions = self.directions(&self.state);
                let tokens = directions.as_ref().unwrap_or(&self.state);
                for (replica, statistics) in statistics.iter_mut().enumerate() {
                    statistics.log_energy = self.log_energy(replica, tokens.replica(replica));
                }
                self.require_completed()?;
            }
            Ok(statistics)
        })
    }

    fn marginal_error(&mut self) -> Answer<'_, Option<f64>> {
        Box::pin(async move {
            Ok(self.model.attention.is_balanced().then(|| f64::from_bits(*self.marginal_error.get_mut())))
        })
    }

    fn velocity(&mut self, stage: usize) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            require_stages(NAME, stage.saturating_add(1), self.velocities.len())?;
            let mut rows = self.rows(&self.velocities[stage]);
            self.shape.clear_leading(&mut rows, self.model.frozen);
            Ok(rows)
        })
    }

    fn tokens_of(&mut self, tokens: Range<usize>) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            let Shape { count, dim, .. } = self.shape;
            let mut rows = Vec::with_capacity(self.shape.within(&tokens).len() * dim);
            for (replica, tokens) in self.shape.of_replicas(&tokens) {
                let columns = self.state.replica(replica).part(tokens.start, count - tokens.start);
                columns.add_rows(dim, tokens.len(), &mut rows);
            }
            Ok(rows)
        })
    }
}
