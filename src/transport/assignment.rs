//! Exact Wasserstein distances between clouds of equal weights, by the best pairing of their points.
//!
//! The pairing is found by the algorithm of Kuhn and Munkres in the crate `pathfinding`: kept since 2016, and generic over
//! whole numbers, on which its potentials are exact and ties cannot make it cycle. (`lapjv` takes floats only, twice to five
//! times as long, and brings a second ndarray; `lsap`, which is as fast, takes f64 only.)

use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};
use rayon::prelude::*;

use super::{Masses, Measure, Order, TransportError, measure::squared_distance};

/// At 8192 points costs take 512 MiB, and the pairing a quarter of a minute.
pub const MOST: usize = 8192;

/// Costs are whole numbers up to 2^60 / n: sums of n of them fit, and the dual potentials, which are such sums.
const SCALE: f64 = (1_i64 << 60) as f64;

/// W_p with the chordal cost |x - y|^p: min over permutations s of (1/n sum_i |x_i - y_{s(i)}|^p)^{1/p}.
///
/// Both clouds have the same number of points, at most [`MOST`], and equal weights. Costs are rounded to n 2^-60 of the
/// largest before they are compared, so that the W_p^p of the pairing exceeds the least by no more than that.
pub fn wasserstein(order: Order, a: &Measure<'_>, b: &Measure<'_>) -> Result<f64, TransportError> {
    a.common_dim(b)?;
    let count = a.count();
    if b.count() != count {
        return Err(TransportError::Unpaired { a: count, b: b.count() });
    }
    if [a, b].iter().any(|measure| !is_equal(measure)) {
        return Err(TransportError::UnequalWeights);
    }
    if count > MOST {
        return Err(TransportError::TooMany { count, most: MOST });
    }
    let (x, y): (Vec<&[f64]>, Vec<&[f64]>) = (a.points().collect(), b.points().collect());
    let cost = |i: usize, j: usize| match order {
        Order::One => squared_distance(x[i], y[j]).sqrt(),
        Order::Two => squared_distance(x[i], y[j]),
    };
    let largest = (0..count).into_par_iter().map(|i| (0..count).map(|j| cost(i, j)).fold(0.0, f64::max));
    let largest = largest.reduce(|| 0.0, f64::max);
    if largest == 0.0 {
        return Ok(0.0);
    }
    // The solver looks for the largest sum.
    let unit = largest * count as f64 / SCALE;
    let gain = |i: usize, j: usize| -((cost(i, j) / unit).round() as i64);
    let pairing = kuhn_munkres(&Matrix::from_fn(count, count, |(i, j)| gain(i, j))).1;
    Ok(order.root(pairing.iter().enumerate().map(|(i, j)| cost(i, *j)).sum::<f64>() / count as f64))
}

fn is_equal(measure: &Measure<'_>) -> bool {
    match measure.masses() {
        Masses::Equal => true,
        Masses::Each(masses) => masses.iter().all(|mass| *mass == masses[0]),
    }
}
