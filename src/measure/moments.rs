//! How far mean and covariance of a replica are from those of the limit.

use super::{Limit, View};
use crate::{
    limit::{Moments, Nodes},
    observe::norm,
};

/// |m - m*| and |C - C*|_F, with C = sum_j w_j (x_j - m)(x_j - m)^T; not numbers without a limit.
pub fn errors(view: &View, replica: usize) -> [f64; 2] {
    let Some(limit) = view.limit else { return [f64::NAN; 2] };
    let shape = view.problem.tokens.shape;
    let points = &view.replica(replica)[..shape.sources() * shape.dim];
    let weights = &view.problem.tokens.weights;
    let tokens = Moments::of(points, shape.dim, |j| weights.of(shape, replica, j));
    let expected = of_limit(limit);
    [distance(&tokens.mean, &expected.mean), distance(&tokens.covariance, &expected.covariance)]
}

/// | mean overlap of two tokens - that of two of the limit |, of tokens of length one and equal weights: the mean of <x_i, x_j>
/// over i != j is (n |m|^2 - 1) / (n - 1). Not a number without a limit.
pub fn overlap_error(view: &View, replica: usize) -> f64 {
    let Some(limit) = view.limit else { return f64::NAN };
    let dim = view.problem.tokens.shape.dim;
    let overlap = |points: &[f64]| {
        let count = (points.len() / dim) as f64;
        let mean = Moments::of(points, dim, |_| 1.0 / count).mean;
        (count * mean.iter().map(|m| m * m).sum::<f64>() - 1.0) / (count - 1.0)
    };
    (overlap(view.replica(replica)) - overlap(limit.nodes().0)).abs()
}

fn of_limit(limit: &Limit) -> Moments {
    let dim = limit.limit.problem.tokens.shape.dim;
    let (points, weights) = limit.nodes();
    match &limit.limit.nodes {
        Nodes::Points | Nodes::Moments => Moments::of(points, dim, |j| weights[j]),
        Nodes::Meridian { axis } => about(axis, points, weights),
    }
}

/// Of a measure symmetric about `axis`: mean E[t] e and covariance Var[t] e e^T + E[1 - t^2] / (d - 1) (I - e e^T).
fn about(axis: &[f64], points: &[f64], weights: &[f64]) -> Moments {
    let dim = axis.len();
    let height = |x: &[f64]| x.iter().zip(axis).map(|(x, e)| x * e).sum::<f64>();
    let expectation = |f: &dyn Fn(f64) -> f64| -> f64 {
        points.chunks_exact(dim).zip(weights).map(|(x, weight)| weight * f(height(x))).sum()
    };
    let mean = expectation(&|t| t);
    let (along, across) =
        (expectation(&|t| (t - mean) * (t - mean)), expectation(&|t| 1.0 - t * t) / (dim - 1) as f64);
    let entry = |k: usize, l: usize| (along - across) * axis[k] * axis[l] + if k == l { across } else { 0.0 };
    Moments {
        mean: axis.iter().map(|e| mean * e).collect(),
        covariance: (0..dim * dim).map(|index| entry(index / dim, index % dim)).collect(),
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}
