//! Combinations of stages, against combinations of reference velocities.

use pollster::block_on;
use tokenfield::{
    backend::{Backend, BackendError, Point, gpu::Gpu, reference},
    model::Field,
    scheme::Scheme,
    tokens::Shape,
};

use crate::{
    compare::{compare, device, dot, text, tolerance},
    problems::problem,
};

/// One addition, one square root and one division, each of which may be off by two units or so.
const RETRACTION: f64 = 1e-6;

pub fn heun_step(gpu: &mut Gpu) -> Result<(), BackendError> {
    gpu.evaluate(Point::State, Field::Tangent, 0)?;
    gpu.combine(&[0.1], Point::Stage, Field::Tangent)?;
    gpu.evaluate(Point::Stage, Field::Tangent, 1)?;
    gpu.combine(&[0.05, 0.05], Point::State, Field::Tangent)
}

pub fn combine() -> Result<(), String> {
    for dim in [2, 3, 17] {
        let mut problem = problem(Shape { replicas: 2, count: 70, dim, passive: 5 }, 2.0);
        problem.scheme = Scheme::Rk4;
        let retracted = |coefficients: &[f64], velocities: &[Vec<f64>]| -> Vec<f64> {
            let mut tokens = problem.tokens.coordinates.clone();
            for (coefficient, velocity) in coefficients.iter().zip(velocities) {
                tokens.iter_mut().zip(velocity).for_each(|(x, k)| *x += coefficient * k);
            }
            for token in tokens.chunks_exact_mut(dim) {
                let norm = dot(token, token).sqrt();
                token.iter_mut().for_each(|c| *c /= norm);
            }
            tokens
        };
        let mut gpu = block_on(Gpu::new(device()?, &problem)).map_err(text)?;
        let first = reference::field(&problem.tokens, &problem.model, Field::Tangent);
        gpu.evaluate(Point::State, Field::Tangent, 0).map_err(text)?;
        gpu.combine(&[0.3], Point::Stage, Field::Tangent).map_err(text)?;
        // The stage cannot be read, but the velocity there can.
        let mut there = problem.clone();
        there.tokens.coordinates = retracted(&[0.3], std::slice::from_ref(&first));
        let mut velocities = vec![first];
        for stage in 1..4 {
            gpu.evaluate(Point::Stage, Field::Tangent, stage).map_err(text)?;
            velocities.push(reference::field(&there.tokens, &there.model, Field::Tangent));
            let found = block_on(gpu.velocity(stage)).map_err(text)?;
            compare(&format!("d = {dim}, stage {stage}"), &found, &velocities[stage], 2.0 * tolerance(&problem))?;
        }
        let coefficients = [0.1, -0.2, 0.3, 0.4];
        gpu.combine(&coefficients, Point::State, Field::Tangent).map_err(text)?;
        let found = block_on(gpu.tokens()).map_err(text)?;
        compare(
            &format!("d = {dim}"),
            &found,
            &retracted(&coefficients, &velocities),
            RETRACTION + tolerance(&problem),
        )?;
    }
    Ok(())
}
