//! Which problems half precision serves.

use super::geometries::geometries;
use crate::{
    backend::BackendError,
    model::{Attention, Geometry, Head, LayerNorm, Model, Normalization, Position},
    problem::Problem,
    tokens::Tokens,
    vector::norm,
};

/// Components of keys below which products of matrices gain nothing.
const FEWEST: usize = 32;
/// Half of what f16 holds.
const LONGEST: f64 = 32768.0;

/// Refuses what half precision is not for.
pub fn check(problem: &Problem) -> Result<(), BackendError> {
    let Problem {
        tokens,
        model,
        // Every model of a schedule has the shapes of the first; geometries are asked for one by one.
        model_schedule: _,
        scheme: _,
        schedule: _,
        quantities: _,
        algorithm: _,
        tolerance: _,
    } = problem;
    let Tokens { shape, coordinates: _, weights: _ } = tokens;
    // Only products of attention are taken in f16; `longest` decides of geometry and position.
    let Model { geometry: _, attention, perceptron: _, noise: _, frozen: _ } = model;
    let Attention { beta: _, beta_factors: _, normalization, mask: _, window: _, position: _, heads } = attention;
    let key_dim = |head: &Head| {
        let Head { query_key, value: _, biases: _, beta: _, decay: _, weight: _ } = head;
        query_key.factors().map_or(shape.dim, |(left, _)| left.len() / shape.dim)
    };
    let refuse = |term| Err(BackendError::Unsupported { backend: "gpu", term, remedy: "write --precision single" });
    if heads.is_empty() {
        return refuse("--precision half without attention");
    }
    if heads.iter().any(|head| key_dim(head) < FEWEST) {
        return refuse("--precision half for keys of fewer than 32 components, which would gain nothing");
    }
    if heads.iter().any(Head::has_matrices_of_replicas) {
        return refuse("--precision half for random matrices with draws = \"replicas\" or \"pairs\"");
    }
    match normalization {
        Normalization::Hardmax => return refuse("--precision half for normalization = \"hardmax\""),
        Normalization::Relu => return refuse("--precision half for normalization = \"relu\""),
        Normalization::Sigmoid => return refuse("--precision half for normalization = \"sigmoid\""),
        Normalization::Sinkhorn { .. } => return refuse("--precision half for normalization = \"sinkhorn\""),
        Normalization::Softmax | Normalization::Unnormalized | Normalization::Shifted => {}
    }
    match longest(problem) {
        Some(length) if length <= LONGEST => Ok(()),
        Some(_) => refuse("--precision half for tokens longer than 32768"),
        None => refuse("--precision half for tokens of any length: f16 ends at 65504"),
    }
}

/// A bound on the length of every input of attention, at all times; none where tokens may grow without bound.
pub fn longest(problem: &Problem) -> Option<f64> {
    let Problem {
        tokens,
        model,
        model_schedule: _,
        scheme: _,
        schedule: _,
        quantities: _,
        algorithm: _,
        tolerance: _,
    } = problem;
    let Tokens { shape, coordinates, weights: _ } = tokens;
    let Model { geometry: _, attention, perceptron: _, noise: _, frozen: _ } = model;
    let Attention { beta: _, beta_factors: _, normalization: _, mask: _, window: _, position, heads: _ } = attention;
    let dim = shape.dim;
    let longest_row = |rows: &[f64]| rows.chunks_exact(dim).map(norm).fold(0.0, f64::max);
    let of_norm = |LayerNorm { gain, bias, epsilon: _ }: &LayerNorm| {
        gain.iter().fold(0.0, |most: f64, gain| most.max(gain.abs())) * (dim as f64).sqrt() + norm(bias)
    };
    let of_geometry = |geometry: &Geometry| match geometry {
        Geometry::Sphere | Geometry::Ngpt { .. } | Geometry::PreNorm | Geometry::PeriNorm => Some(1.0),
        Geometry::LayerNorm { attention, perceptron } => {
            Some(of_norm(attention).max(of_norm(perceptron)).max(longest_row(coordinates)))
        }
        Geometry::Euclidean | Geometry::Rescaled => None,
    };
    let place = match position {
        Position::Additive { places, .. } => longest_row(places),
        Position::Nowhere | Position::Alibi { .. } | Position::Rotary { .. } => 0.0,
    };
    geometries(problem).try_fold(0.0, |most: f64, geometry| Some(most.max(of_geometry(geometry)? + place)))
}
