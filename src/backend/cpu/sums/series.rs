//! The same sums between clouds on the circle or the sphere by harmonics, in time linear in the number of points.
//!
//! All queries have one length, kappa = scale, and a bias is the logarithm of a weight. Errors are relative to
//! e^kappa sum_j e^{bias_j}, so that a query far from all that weighs much may lose its sum to cancellation. How much each has
//! lost is seen from its sum, and those that lost too much are taken pair by pair.

use std::f64::consts::LOG2_E;

use rayon::prelude::*;

use super::{
    super::{
        BLOCK,
        harmonic::{Expansion, Moments, Polynomials, Radial, Weights},
        reduction::Reduced,
    },
    Sources,
};
use crate::{
    backend::algorithm::work,
    harmonic::{even_loss, within},
};

/// How far |x|^2 may be from one: what normalising and turning a vector leaves. It moves a score by half of this.
const UNIT: f64 = 4e-15;

/// Whether vectors, row-major (vector, component), are on the unit circle or sphere.
pub(crate) fn are_unit(vectors: &[f64], dim: usize) -> bool {
    let is_unit = |x: &[f64]| (x.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() <= UNIT;
    matches!(dim, 2 | 3) && vectors.chunks_exact(dim).all(is_unit)
}

/// Whether sums between so many unit vectors, `sources` and queries, go by harmonics.
pub(crate) fn by_harmonics(dim: usize, scale: f64, counts: (usize, usize), accuracy: f64) -> bool {
    Plan::choose(dim, scale, counts, accuracy).is_some()
}

/// How far an expansion goes, and what a query may lose to cancellation.
pub(super) struct Plan {
    kappa: f64,
    degree: usize,
    most_lost: f64,
}

impl Plan {
    /// For sums over `sources` points at `queries` others, if harmonics cost less than pairs.
    pub(super) fn choose(dim: usize, kappa: f64, (sources, queries): (usize, usize), accuracy: f64) -> Option<Self> {
        let plan = Self::new(dim, kappa, accuracy)?;
        let (pairs, points) = (sources as f64 * queries as f64, (sources + queries) as f64);
        (work(dim, plan.degree) * points < pairs).then_some(plan)
    }

    /// If harmonics are within `accuracy` of sums over points that are spread evenly.
    pub(super) fn new(dim: usize, kappa: f64, accuracy: f64) -> Option<Self> {
        let degree = within(dim, kappa, f64::EPSILON)?;
        let floor = f64::EPSILON * (2.0 + degree as f64);
        let most_lost = (accuracy / floor).log2();
        (even_loss(dim, kappa) < most_lost).then_some(Self { kappa, degree, most_lost })
    }
}

impl Sources {
    /// ln sum_j e^{kappa <x_i, y_j> + bias_j} by the harmonics of `plan`, by pairs where they lose too much.
    pub(super) fn expanded(&self, plan: &Plan, queries: &[f64], bias: &[f64]) -> Vec<f64> {
        let mut sums = self.series(plan, queries, bias);
        let dim = self.shape.dim;
        let lost: Vec<usize> = (0..sums.len()).filter(|i| sums[*i].is_nan()).collect();
        if !lost.is_empty() {
            let queries: Vec<f64> = lost.iter().flat_map(|i| &queries[i * dim..][..dim]).copied().collect();
            for (i, sum) in lost.iter().zip(self.pair_by_pair(&queries, plan.kappa, bias)) {
                sums[*i] = sum;
            }
        }
        sums
    }

    /// The same by harmonics alone; not a number where they lose too much.
    fn series(&self, plan: &Plan, queries: &[f64], bias: &[f64]) -> Vec<f64> {
        let dim = self.shape.dim;
        let log2_weights: Vec<f64> = bias.iter().map(|bias| bias * LOG2_E).collect();
        let weights = Weights::<f64>::from_log2(&log2_weights);
        let keys = self.bias.keys(0, self.points.replica(0));
        let series = (&Polynomials::legendre(), plan.degree + 1);
        let moments = Moments::new(self.instructions, keys.cloud(), weights.replica(0), series);
        let radial = Radial::<f64>::constant(dim, plan.kappa, plan.degree);
        let expansion = Expansion::new(&moments, &radial);
        let least = expansion.log2_most(plan.kappa) - plan.most_lost;
        let block = |rows: &[f64]| {
            let rows: Vec<f64> = rows.iter().map(|x| x * plan.kappa).collect();
            let mut reduced = Reduced::default();
            expansion.reduce(self.instructions, &rows, &mut reduced);
            let kept = |log2_sum: f64| if log2_sum >= least { log2_sum / LOG2_E } else { f64::NAN };
            reduced.log2_sum.into_iter().map(kept).collect::<Vec<_>>()
        };
        queries.par_chunks(BLOCK * dim).flat_map_iter(block).collect()
    }
}
