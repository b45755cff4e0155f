//! Which problems half precision serves.

use super::geometries::geometries;
use crate::{
    backend::BackendError,
    model::{Geometry, Head, LayerNorm, Matrix, Normalization, Position},
    problem::Problem,
};

/// Components of keys below which products of matrices gain nothing.
const FEWEST: usize = 32;
/// Half of what f16 holds.
const LONGEST: f64 = 32768.0;

/// Refuses what half precision is not for.
pub fn check(problem: &Problem) -> Result<(), BackendError> {
    let attention = &problem.model.attention;
    let key_dim = |head: &Head| match &head.query_key {
        Matrix::Product { left, .. } => left.len() / problem.tokens.shape.dim,
        _ => problem.tokens.shape.dim,
    };
    let refuse = |term| Err(BackendError::Unsupported { backend: "gpu", term, remedy: "write --precision single" });
    if attention.heads.is_empty() {
        return refuse("--precision half without attention");
    }
    if attention.heads.iter().any(|head| key_dim(head) < FEWEST) {
        return refuse("--precision half for keys of fewer than 32 components, which would gain nothing");
    }
    match attention.normalization {
        Normalization::Hardmax => return refuse("--precision half for normalization = \"hardmax\""),
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
    let dim = problem.tokens.shape.dim;
    let longest_row = |rows: &[f64]| rows.chunks_exact(dim).map(norm).fold(0.0, f64::max);
    let of_norm = |LayerNorm { gain, bias, .. }: &LayerNorm| {
        gain.iter().fold(0.0, |most: f64, gain| most.max(gain.abs())) * (dim as f64).sqrt() + norm(bias)
    };
    let of_geometry = |geometry: &Geometry| match geometry {
        Geometry::Sphere | Geometry::Ngpt { .. } | Geometry::PreNorm | Geometry::PeriNorm => Some(1.0),
        Geometry::LayerNorm { attention, perceptron } => {
            Some(of_norm(attention).max(of_norm(perceptron)).max(longest_row(&problem.tokens.coordinates)))
        }
        Geometry::Euclidean | Geometry::Rescaled => None,
    };
    let place = match &problem.model.attention.position {
        Position::Additive(places) => longest_row(places),
        Position::Nowhere | Position::Alibi { .. } | Position::Rotary { .. } => 0.0,
    };
    geometries(problem).try_fold(0.0, |most: f64, geometry| Some(most.max(of_geometry(geometry)? + place)))
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|component| component * component).sum::<f64>().sqrt()
}
