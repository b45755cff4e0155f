//! A graphics backend that gives its tokens away to nobody, and a run with it beside one on the CPU.

use std::ops::Range;

use pollster::block_on;
use tokenfield::{
    backend::{
        Answer, Backend, BackendError, Identity, Method, Point, SlicedTargets, cpu,
        gpu::{Device, Gpu},
    },
    diffusion::Diffusion,
    model::{Field, Model},
    observables::Quantity,
    observe::Statistics,
    problem::Problem,
    scheme::Tableau,
    simulate::{Event, simulate},
};

use crate::compare::{compare_within, largest, text};

pub struct Sealed(Gpu);

pub const SEAL: BackendError = BackendError::TooManyHarmonics;

impl Sealed {
    pub fn new(device: &Device, problem: &Problem) -> Result<Sealed, String> {
        block_on(Gpu::new(device, problem)).map(Sealed).map_err(text)
    }
}

/// All samples of `problem` are the same on the CPU and on the device, whose tokens stay where they are, up to `tolerance` of the
/// largest number in a sample if that exceeds one; what is no number is none in both.
pub fn agree(device: &Device, problem: &Problem, tolerance: f64) -> Result<(), String> {
    let (mut sealed, mut cpu) = (Sealed::new(device, problem)?, cpu::double(problem).map_err(text)?);
    let (found, expected) = (samples(problem, &mut sealed)?, samples(problem, cpu.as_mut())?);
    if expected.len() < 2 * problem.tokens.shape.replicas || found.len() != expected.len() {
        return Err(format!("{} samples, expected {}", found.len(), expected.len()));
    }
    for (found, expected) in found.iter().zip(&expected) {
        if found.len() != expected.len() || found.iter().zip(expected).any(|(f, e)| f.is_nan() != e.is_nan()) {
            return Err(format!("{found:?}, expected {expected:?}"));
        }
        let [found, expected] =
            [found, expected].map(|row| row.iter().copied().filter(|number| !number.is_nan()).collect::<Vec<f64>>());
        compare_within(
            &format!("{:?}", problem.quantities),
            &found,
            &expected,
            tolerance * largest(&expected).max(1.0),
        )?;
    }
    Ok(())
}

pub fn samples(problem: &Problem, backend: &mut dyn Backend) -> Result<Vec<Vec<f64>>, String> {
    let mut samples = Vec::new();
    let run = simulate(problem, backend, |event| {
        if let Event::Sample(sample) = event {
            samples.push(sample.values.clone());
        }
        Ok(())
    });
    block_on(run).map_err(|error| error.to_string())?;
    Ok(samples)
}

impl Backend for Sealed {
    fn identity(&self) -> Identity {
        self.0.identity()
    }

    fn method(&self) -> Method {
        self.0.method()
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        self.0.change(model)
    }

    fn evaluate(&mut self, point: Point, field: Field, stage: usize) -> Result<(), BackendError> {
        self.0.evaluate(point, field, stage)
    }

    fn fluctuate(&mut self, point: Point, step: u64, stage: usize) -> Result<(), BackendError> {
        self.0.fluctuate(point, step, stage)
    }

    fn diffuse(&mut self, diffusion: &Diffusion, first: u64) -> Result<(), BackendError> {
        self.0.diffuse(diffusion, first)
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, field: Field) -> Result<(), BackendError> {
        self.0.combine(coefficients, into, field)
    }

    fn advance(&mut self, tableau: &Tableau, h: f64, field: Field, most: u64) -> Result<u64, BackendError> {
        self.0.advance(tableau, h, field, most)
    }

    fn wait(&mut self) -> Answer<'_, ()> {
        Box::pin(async move { self.0.wait().await })
    }

    fn observe<'a>(&'a mut self, quantities: &'a [Quantity]) -> Answer<'a, Vec<Statistics>> {
        Box::pin(async move { self.0.observe(quantities).await })
    }

    fn sliced_costs<'a>(&'a mut self, targets: &'a SlicedTargets<'_>) -> Answer<'a, Option<Vec<f64>>> {
        Box::pin(async move { self.0.sliced_costs(targets).await })
    }

    fn marginal_error(&mut self) -> Answer<'_, Option<f64>> {
        Box::pin(async move { self.0.marginal_error().await })
    }

    fn velocity(&mut self, stage: usize) -> Answer<'_, Vec<f64>> {
        Box::pin(async move { self.0.velocity(stage).await })
    }

    fn tokens_of(&mut self, _: Range<usize>) -> Answer<'_, Vec<f64>> {
        Box::pin(async move { Err(SEAL) })
    }
}
