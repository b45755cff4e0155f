//! Replicas that start next to each other.

use rayon::prelude::*;

use super::sphere;
use crate::{
    random::{Purpose, normals},
    tokens::Shape,
};

/// Makes of every second replica the one before it, moved: y_j = x_j + size * xi_j with standard normal xi_j in R^d, drawn by seed,
/// replica and token. Replicas are even in number.
pub(crate) fn perturb(coordinates: &mut [f64], shape: Shape, size: f64, seed: u64) {
    let length = shape.count * shape.dim;
    coordinates.par_chunks_exact_mut(2 * length).enumerate().for_each(|(pair, replicas)| {
        let (first, second) = replicas.split_at_mut(length);
        let tokens = second.chunks_exact_mut(shape.dim).zip(first.chunks_exact(shape.dim));
        for (token, (y, x)) in tokens.enumerate() {
            let moves = normals(seed, 0, 2 * pair as u32 + 1, token as u32, Purpose::Perturbation, shape.dim);
            y.iter_mut().zip(x).zip(moves).for_each(|((y, x), xi)| *y = x + size * xi);
        }
    });
}

/// Every token divided by its length.
pub(crate) fn normalise(coordinates: &mut [f64], dim: usize) {
    coordinates.par_chunks_exact_mut(dim).for_each(sphere::normalise);
}
