//! Reductions of the tokens themselves, in f64 and in a fixed order.

use rayon::prelude::*;

use crate::{
    observables::{Need, Quantity},
    observe::{Statistics, direction, has_direction},
    sums::{columns::Columns, real::Real},
    tokens::{Shape, Weights},
};

/// Tokens summed by one task before the partial sums are added in order.
const CHUNK: usize = 4096;

/// The empirical measures that are observed.
pub(super) struct Measures<'a, T> {
    pub(super) shape: Shape,
    pub(super) weights: &'a Weights,
    pub(super) tokens: &'a Columns<T>,
}

/// ln sum_k 2^{exponent_k}.
pub(super) fn log_sum_exp2(exponents: &[f64]) -> f64 {
    let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = exponents.iter().map(|exponent| (exponent - largest).exp2()).sum();
    (largest + sum.log2()) * std::f64::consts::LN_2
}

/// ln sum_k s_k 2^{exponent_k} of pairs (exponent, s), s being 1 or -1; not a number where the sum is not positive.
pub(super) fn log_of_sum(terms: &[(f64, f64)]) -> f64 {
    let largest = terms.iter().map(|(exponent, _)| *exponent).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = terms.iter().map(|(exponent, sign)| sign * (exponent - largest).exp2()).sum();
    if sum > 0.0 { (largest + sum.log2()) * std::f64::consts::LN_2 } else { f64::NAN }
}

impl<T: Real> Measures<'_, T> {
    /// Everything but the energy, replica by replica.
    pub(super) fn moments(&self, quantities: &[Quantity]) -> Vec<Statistics> {
        let needs = |need| quantities.iter().any(|quantity| quantity.needs(need));
        let statistics = |replica| {
            let mut statistics = Statistics { mean: self.mean(replica), ..Statistics::default() };
            if needs(Need::SecondMoment) {
                statistics.second_moment = self.second_moment(replica);
            }
            if needs(Need::MeanDirection) {
                let axis = direction(&statistics.mean);
                (statistics.square_distance, statistics.overlap_min) =
                    match has_direction(&statistics.mean, self.rounding()) {
                        true => self.spread(replica, &axis),
                        false => (f64::NAN, f64::NAN),
                    };
            }
            statistics
        };
        (0..self.shape.replicas).into_par_iter().map(statistics).collect()
    }

    /// How far the mean of unit vectors may be from that of the tokens that they stand for: tokens are rounded to working precision,
    /// by which a half is lost of each component and as much when they were put on the sphere, and sums to double precision, by
    /// as many halves as there are additions in a row.
    fn rounding(&self) -> f64 {
        let sources = self.shape.sources();
        let additions = sources.min(CHUNK) + sources.div_ceil(CHUNK);
        T::EPSILON + 0.5 * f64::EPSILON * additions as f64
    }

    /// sum_j w_j x_j.
    fn mean(&self, replica: usize) -> Vec<f64> {
        let add = |weight, x: &[f64], sum: &mut [f64]| {
            for (sum, component) in sum.iter_mut().zip(x) {
                *sum += weight * component;
            }
        };
        total(self.partial_sums(replica, vec![0.0; self.shape.dim], add))
    }

    /// sum_j w_j x_j x_j^T, row-major.
    fn second_moment(&self, replica: usize) -> Vec<f64> {
        let dim = self.shape.dim;
        let add = |weight, x: &[f64], sum: &mut [f64]| {
            for (row, a) in sum.chunks_exact_mut(dim).zip(x) {
                for (entry, b) in row.iter_mut().zip(x) {
                    *entry += weight * a * b;
                }
            }
        };
        total(self.partial_sums(replica, vec![0.0; dim * dim], add))
    }

    /// (sum_j w_j |x_j - axis|^2, min_j <x_j, axis>) over tokens of positive weight.
    fn spread(&self, replica: usize, axis: &[f64]) -> (f64, f64) {
        let add = |weight, x: &[f64], spread: &mut [f64]| {
            spread[0] += weight * x.iter().zip(axis).map(|(x, e)| (x - e) * (x - e)).sum::<f64>();
            spread[1] = spread[1].min(x.iter().zip(axis).map(|(x, e)| x * e).sum());
        };
        let partials = self.partial_sums(replica, vec![0.0, f64::INFINITY], add);
        let square_distance = partials.iter().map(|partial| partial[0]).sum();
        (square_distance, partials.iter().map(|partial| partial[1]).fold(f64::INFINITY, f64::min))
    }

    /// What `add(weight, token, sum)` makes of `start` over the sources of each chunk of one replica.
    fn partial_sums(
        &self,
        replica: usize,
        start: Vec<f64>,
        add: impl Fn(f64, &[f64], &mut [f64]) + Sync,
    ) -> Vec<Vec<f64>> {
        let (dim, sources) = (self.shape.dim, self.shape.sources());
        let tokens = self.tokens.replica(replica);
        let partial = |chunk: usize| {
            let mut sum = start.clone();
            let first = chunk * CHUNK;
            let rows = tokens.part(first, CHUNK).rows(dim, CHUNK.min(sources - first));
            for (k, x) in rows.chunks_exact(dim).enumerate() {
                let weight = self.weights.of(self.shape, replica, first + k);
                if weight > 0.0 {
                    add(weight, x, &mut sum);
                }
            }
            sum
        };
        (0..sources.div_ceil(CHUNK)).into_par_iter().map(partial).collect()
    }
}

/// Partial sums, added in order.
fn total(partials: Vec<Vec<f64>>) -> Vec<f64> {
    let add = |mut total: Vec<f64>, partial: Vec<f64>| {
        total.iter_mut().zip(partial).for_each(|(total, partial)| *total += partial);
        total
    };
    partials.into_iter().reduce(add).unwrap_or_default()
}
