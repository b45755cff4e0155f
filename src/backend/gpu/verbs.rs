//! What the loop asks of a backend.

use std::ops::Range;

use super::{
    engine::limits::unsupported,
    field::{noise::Diffused, velocity::QueriesAndKeys},
    observe::observed::Observed,
    problem::Gpu,
};
use crate::{
    backend::{
        Answer, Backend, BackendError, Identity, Method, Point, SlicedTargets, SumsState, longest, require_stages,
    },
    diffusion::Diffusion,
    model::{Field, Model},
    observables::Quantity,
    observe::Statistics,
    scheme::Tableau,
};

const NAME: &str = "gpu";

impl Gpu {
    /// Records the coefficients for the tokens at `point`, if sums are taken by harmonics.
    fn prepare(&mut self, point: Point) -> Result<(), BackendError> {
        match &self.harmonics {
            Some((harmonics, _)) => harmonics.prepare(&mut self.recorder, &self.buffers, point),
            None => Ok(()),
        }
    }
}

impl Backend for Gpu {
    fn identity(&self) -> Identity {
        let summary = self.device.summary();
        let adapter = format!("{} ({})", summary.name, summary.api);
        Identity {
            backend: NAME,
            arithmetic: format!("{adapter}, {}", summary.driver),
            adapter,
            driver: summary.driver.clone(),
            precision: self.device.precision(),
        }
    }

    fn method(&self) -> Method {
        self.method
    }

    fn sums(&mut self) -> Answer<'_, SumsState> {
        Box::pin(self.sums_state())
    }

    fn resume_sums(&mut self, sums: &SumsState) {
        self.take_up(sums);
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        require_stages(NAME, stage.saturating_add(1), self.slots)?;
        self.prepare(point)?;
        self.velocity.evaluate(&mut self.recorder, QueriesAndKeys::same(&self.buffers), point, field, stage)
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        // What is recorded comes before what is written.
        self.recorder.submit()?;
        self.advance = None;
        self.combination.write(&self.device, &model.geometry);
        self.observables.write(model);
        let as_noisy = match (&self.noise, &model.noise) {
            (Some(own), Some(noise)) => own.is_of(noise),
            (own, noise) => own.is_none() && noise.is_none(),
        };
        let fits = as_noisy && self.harmonics.is_none() && self.velocity.write(&self.device, model);
        if fits { Ok(()) } else { Err(unsupported("models that change beyond their numbers")) }
    }

    fn fluctuate(&mut self, point: Point, step: u64, stage: usize) -> Result<(), BackendError> {
        require_stages(NAME, stage.saturating_add(1), self.slots)?;
        let Some(noise) = &mut self.noise else {
            let rows = self.buffers.segments.iter().map(|segment_buffers| segment_buffers.rows()).enumerate();
            let (recorder, motion) = (&mut self.recorder, &self.velocity.motion);
            let mut zero = |(segment, rows)| motion.zero_velocity(recorder, point, segment, rows, stage * rows);
            return rows.into_iter().try_for_each(&mut zero);
        };
        noise.record(&mut self.recorder, &self.buffers, point, step, stage)
    }

    fn diffuse(&mut self, diffusion: &Diffusion, first: u64) -> Result<(), BackendError> {
        let Some(noise) = &mut self.noise else {
            return Ok(());
        };
        match noise.diffuse(&mut self.recorder, &self.buffers, diffusion, first)? {
            Diffused::Moved => Ok(()),
            Diffused::Displaced => self.combine(&[1.0], Point::State, Field::Tangent),
        }
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, field: Field) -> Result<(), BackendError> {
        require_stages(NAME, coefficients.len(), self.slots)?;
        self.combination.record(&mut self.recorder, &self.buffers, coefficients, into, field)
    }

    fn difference<'a>(&'a mut self, coefficients: &'a [f64]) -> Answer<'a, f64> {
        Box::pin(async move {
            require_stages(NAME, coefficients.len(), self.slots)?;
            let (mut largest, padded) = (0.0, 4 * self.constants.width() as usize);
            for segment_buffers in &self.buffers.segments {
                let count = segment_buffers.rows() * padded;
                let mut sums = vec![0.0; count];
                for (stage, coefficient) in coefficients.iter().enumerate() {
                    let first = stage * count;
                    let velocities =
                        self.readback.numbers(&mut self.recorder, &segment_buffers.velocities, first, count).await?;
                    let terms = velocities.into_iter().map(|velocity| coefficient * f64::from(velocity));
                    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += term);
                }
                let dim = self.shape.dim;
                largest = sums.chunks_exact(padded).fold(largest, |largest, sum| longest(largest, &sum[..dim]));
            }
            Ok(largest)
        })
    }

    fn advance(&mut self, tableau: &Tableau, h: f64, field: Field, most: u64) -> Result<u64, BackendError> {
        let Gpu { advance: Some(advance), recorder, buffers, .. } = self else { return Ok(0) };
        advance.record(recorder, buffers, tableau, h, field, most)
    }

    fn wait(&mut self) -> Answer<'_, ()> {
        Box::pin(async move {
            self.recorder.submit()?;
            self.recorder.drain().await
        })
    }

    fn observe<'a>(&'a mut self, quantities: &'a [Quantity]) -> Answer<'a, Vec<Statistics>> {
        Box::pin(async move {
            self.prepare(Point::State)?;
            self.check_harmonics().await?;
            let Gpu { device, shape, constants, buffers, velocity, recorder, readback, observables, .. } = self;
            let shape = *shape;
            let mut observed = Observed { device, shape, constants, buffers, velocity, recorder, readback };
            observables.statistics(&mut observed, quantities).await
        })
    }

    fn sliced_costs<'a>(&'a mut self, targets: &'a SlicedTargets<'_>) -> Answer<'a, Option<Vec<f64>>> {
        Box::pin(async move {
            let Gpu { device, constants, buffers, recorder, readback, projections, .. } = self;
            projections.costs(device, constants, buffers, recorder, readback, targets).await
        })
    }

    fn marginal_error(&mut self) -> Answer<'_, Option<f64>> {
        Box::pin(async move { self.velocity.marginal_error(&mut self.recorder, &self.readback).await })
    }

    fn velocity(&mut self, stage: usize) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            require_stages(NAME, stage.saturating_add(1), self.slots)?;
            let padded = 4 * self.constants.width() as usize;
            let mut velocity = Vec::with_capacity(self.shape.coordinates());
            for segment_buffers in &self.buffers.segments {
                let (count, from) = (segment_buffers.rows() * padded, &segment_buffers.velocities);
                let rows = self.readback.numbers(&mut self.recorder, from, stage * count, count).await?;
                velocity.extend(unpadded(&rows, padded, self.shape.dim));
            }
            self.shape.clear_leading(&mut velocity, self.frozen);
            Ok(velocity)
        })
    }

    fn tokens_of(&mut self, tokens: Range<usize>) -> Answer<'_, Vec<f64>> {
        Box::pin(async move {
            let padded = 4 * self.constants.width() as usize;
            let mut read = Vec::with_capacity(self.shape.within(&tokens).len() * self.shape.dim);
            for (state, rows) in self.buffers.states(self.shape, &tokens) {
                let (first, count) = (rows.start * padded, rows.len() * padded);
                let rows = self.readback.numbers(&mut self.recorder, state, first, count).await?;
                read.extend(unpadded(&rows, padded, self.shape.dim));
            }
            Ok(read)
        })
    }
}

/// The first `dim` of every `padded` numbers.
fn unpadded(rows: &[f32], padded: usize, dim: usize) -> impl Iterator<Item = f64> {
    rows.chunks_exact(padded).flat_map(move |row| &row[..dim]).map(|component| f64::from(*component))
}
