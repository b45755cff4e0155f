//! The limit by weighted nodes of the initial law, on the circle and on the sphere.

use super::{Limit, LimitError, Nodes, beside, on_sphere, serves};
use crate::{
    backend::{Backend, cpu::Cpu},
    initial::{Law, quadrature},
    problem::Problem,
    simulate::Beside,
};

/// Nodes in a direction to begin with, and at most.
const COARSEST: usize = 16;
const FINEST: [usize; 2] = [4096, 128];
/// Twins whose end decides how many nodes there are.
const PROBES: usize = 64;

/// The limit of `problem` from the law `law`.
///
/// Nodes are doubled in every direction until no probe, one of the first twins, ends more than `tolerance` from where half as
/// many nodes in a direction lead it.
pub async fn quadrature_within(problem: &Problem, law: &Law, tolerance: f64) -> Result<Limit, LimitError> {
    serves(&problem.model)?;
    on_sphere(&problem.model)?;
    let (dim, tokens) = (problem.tokens.shape.dim, &problem.tokens.coordinates);
    let probes = &tokens[..tokens.len().min(PROBES * dim)];
    let mut before: Option<Vec<f64>> = None;
    let mut fineness = COARSEST;
    loop {
        let nodes = quadrature(law, dim, fineness)?;
        let probing = beside(problem, Nodes::Points, nodes.coordinates.clone(), &nodes.weights, probes);
        let end = end(&probing).await?.split_off(nodes.coordinates.len());
        let change = before.map_or(f64::INFINITY, |before| largest_distance(&before, &end, dim));
        if change <= tolerance {
            return Ok(beside(problem, Nodes::Points, nodes.coordinates, &nodes.weights, tokens));
        }
        if 2 * fineness > FINEST[dim - 2] {
            return Err(LimitError::Unresolved { fineness, change, tolerance });
        }
        before = Some(end);
        fineness *= 2;
    }
}

/// The tokens of a limit at the end of its schedule.
async fn end(limit: &Limit) -> Result<Vec<f64>, LimitError> {
    let mut backend = Cpu::<f64>::new(&limit.problem)?;
    Beside { limit, backend: &mut backend }.follow(0, limit.problem.schedule.steps)?;
    Ok(backend.tokens().await?)
}

fn largest_distance(a: &[f64], b: &[f64], dim: usize) -> f64 {
    let square = |(a, b): (&[f64], &[f64])| a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
    a.chunks(dim).zip(b.chunks(dim)).map(square).fold(0.0, f64::max).sqrt()
}
