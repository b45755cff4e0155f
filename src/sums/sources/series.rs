//! The same sums between clouds on the circle or the sphere by harmonics, in time linear in the number of points.
//!
//! A query has a length, kappa = scale |x|, and a bias is the logarithm of a weight. Errors are relative to
//! e^kappa sum_j e^{bias_j}, so that a query far from all that weighs much may lose its sum to cancellation. How much each has
//! lost is seen from its sum, and those that lost too much are taken pair by pair.

use std::f64::consts::LOG2_E;

use rayon::prelude::*;

use super::{
    super::{
        harmonic::{Expansion, Moments, Polynomials, Radial, Weights},
        reduction::Reduced,
    },
    lengths::Lengths,
    points::Sources,
};
use crate::harmonic::{coefficients, even_loss, within};

/// Queries that one task sends through an expansion at once.
const BLOCK: usize = 1024;
/// Work for a harmonic of a point, source or query, in units of one pair of f64 ("Sums between clouds" in benches/RESULTS.md).
const COST: f64 = 0.3;
/// Work for a point whatever the degree.
const OVERHEAD: f64 = 10.0;
/// How many points the coefficients are worth.
const SETUP: f64 = 160.0;
/// Pairs that are summed in 30 us: what harmonics would save there is not worth their rounding.
const FEWEST: f64 = 65_536.0;

/// Whether sums between so many unit vectors, `sources`, and so many queries no longer than `longest` go by harmonics.
pub(crate) fn by_harmonics(dim: usize, longest: f64, sources: usize, queries: usize, accuracy: f64) -> bool {
    Plan::choose(dim, Lengths { least: 0.0, longest }, sources, queries, accuracy).is_some()
}

/// How far an expansion goes, and what a query may lose to cancellation.
pub(crate) struct Plan {
    lengths: Lengths,
    degree: usize,
    most_lost: f64,
}

impl Plan {
    /// For sums over `sources` points at `queries` others, if harmonics cost less than pairs.
    pub(crate) fn choose(
        dim: usize,
        lengths: Lengths,
        sources: usize,
        queries: usize,
        accuracy: f64,
    ) -> Option<Self> {
        let plan = Self::new(dim, lengths, accuracy)?;
        let degrees = plan.degree as f64 + 2.0;
        let harmonics = if dim == 2 { degrees } else { 0.5 * degrees * degrees };
        let work = (OVERHEAD + COST * harmonics) * (SETUP + (sources + queries) as f64);
        (work.max(FEWEST) < sources as f64 * queries as f64).then_some(plan)
    }

    /// If harmonics are within `accuracy` of sums over points that are spread evenly.
    pub(crate) fn new(dim: usize, lengths: Lengths, accuracy: f64) -> Option<Self> {
        let kappa = Some(lengths.longest).filter(|longest| longest.is_finite())?;
        let degree = within(dim, kappa, f64::EPSILON)?;
        // Rounding of a harmonic grows with its degree, which counts for b_l of the whole; a few more are those of weights, moments
        // and the tail. A third of this has been seen.
        let weighed = coefficients(dim, kappa, degree).into_iter().enumerate().map(|(l, b)| l as f64 * b);
        let floor = f64::EPSILON * (4.0 + weighed.sum::<f64>());
        let most_lost = (accuracy / floor).log2();
        (even_loss(dim, kappa) < most_lost).then_some(Self { lengths, degree, most_lost })
    }
}

impl Sources {
    /// ln sum_j e^{scale <x_i, y_j> + bias_j} by the harmonics of `plan`, by pairs where they lose too much.
    pub(crate) fn expanded(&self, plan: &Plan, queries: &[f64], scale: f64, bias: &[f64]) -> Vec<f64> {
        let mut sums = self.series(plan, queries, scale, bias);
        let dim = self.shape.dim;
        let lost: Vec<usize> = (0..sums.len()).filter(|i| sums[*i].is_nan()).collect();
        if !lost.is_empty() {
            let queries: Vec<f64> = lost.iter().flat_map(|i| &queries[i * dim..][..dim]).copied().collect();
            for (i, sum) in lost.iter().zip(self.pair_by_pair(&queries, scale, bias)) {
                sums[*i] = sum;
            }
        }
        sums
    }

    /// The same by harmonics alone; not a number where they lose too much.
    fn series(&self, plan: &Plan, queries: &[f64], scale: f64, bias: &[f64]) -> Vec<f64> {
        let dim = self.shape.dim;
        let weights = Weights::<f64>::from_log2(bias.iter().map(|bias| bias * LOG2_E));
        let keys = self.bias.keys(0, self.points.replica(0));
        let moments = Moments::new(
            self.instructions,
            keys.columns(),
            weights.replica(0),
            &Polynomials::legendre(),
            plan.degree + 1,
        );
        let longest = plan.lengths.longest;
        let radial = if plan.lengths.is_one(scale) {
            Radial::<f64>::constant(dim, longest, plan.degree)
        } else {
            Radial::varying(dim, longest, plan.degree)
        };
        let expansion = Expansion::new(&moments, &radial);
        let block = |rows: &[f64]| {
            let rows: Vec<f64> = rows.iter().map(|x| x * scale).collect();
            let mut reduced = Reduced::default();
            expansion.reduce(self.instructions, &rows, &mut reduced);
            let kept = |(row, log2_sum): (&[f64], f64)| {
                let kappa = row.iter().map(|q| q * q).sum::<f64>().sqrt();
                let least = expansion.log2_most(kappa) - plan.most_lost;
                if log2_sum >= least { log2_sum / LOG2_E } else { f64::NAN }
            };
            rows.chunks_exact(dim).zip(reduced.log2_sum).map(kept).collect::<Vec<_>>()
        };
        queries.par_chunks(BLOCK * dim).flat_map_iter(block).collect()
    }
}
