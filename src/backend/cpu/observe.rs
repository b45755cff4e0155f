//! Reductions of the tokens themselves, in f64 and in a fixed order.

use rayon::prelude::*;

use super::part::{Join, Own, Part};
use crate::{
    exchange::added,
    observables::{Need, Quantity},
    observe::{Statistics, direction, has_direction},
    sums::{columns::Columns, real::Real},
    tokens::Weights,
};

/// Tokens summed by one task before the partial sums are added in order.
pub(super) const CHUNK: usize = 4096;

/// The empirical measures that are observed.
pub(super) struct Measures<'a, T> {
    pub(super) part: &'a Part,
    /// Of the tokens that are held here.
    pub(super) weights: &'a Weights,
    pub(super) tokens: &'a Columns<T>,
}

/// Which statistics are asked for beside the mean.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    second_moment: bool,
    direction: bool,
}

impl Wanted {
    pub(super) fn by(quantities: &[Quantity]) -> Self {
        let needs = |need| quantities.iter().any(|quantity| quantity.needs(need));
        Self { second_moment: needs(Need::SecondMoment), direction: needs(Need::MeanDirection) }
    }
}

/// ln sum_k s_k 2^{exponent_k} of pairs (exponent, s), s being 1 or -1; not a number where the sum is not positive.
pub(super) fn log_of_sum(terms: &[(f64, f64)]) -> f64 {
    let largest = terms.iter().map(|(exponent, _)| *exponent).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = terms.iter().map(|(exponent, sign)| sign * (exponent - largest).exp2()).sum();
    if sum > 0.0 { (largest + sum.log2()) * std::f64::consts::LN_2 } else { f64::NAN }
}

impl<T: Real> Measures<'_, T> {
    /// Everything but the energy, replica by replica.
    pub(super) fn moments(&self, wanted: Wanted) -> Vec<Statistics> {
        let statistics = |replica| {
            let Ok(statistics) = self.statistics(replica, wanted, &Own);
            statistics
        };
        (0..self.part.shape.replicas).into_par_iter().map(statistics).collect()
    }

    /// Everything but the energy of one replica, of the tokens of all processes.
    pub(super) fn statistics<J: Join>(
        &self,
        replica: usize,
        wanted: Wanted,
        join: &J,
    ) -> Result<Statistics, J::Error> {
        let mut statistics = Statistics { mean: self.mean(replica, join)?, ..Statistics::default() };
        if wanted.second_moment {
            statistics.second_moment = self.second_moment(replica, join)?;
        }
        if wanted.direction {
            let axis = direction(&statistics.mean);
            (statistics.square_distance, statistics.overlap_min) =
                match has_direction(&statistics.mean, self.rounding()) {
                    true => self.spread(replica, &axis, join)?,
                    false => (f64::NAN, f64::NAN),
                };
        }
        Ok(statistics)
    }

    /// How far the mean of unit vectors may be from that of the tokens that they stand for: tokens are rounded to working precision,
    /// by which a half is lost of each component and as much when they were put on the sphere, and sums to double precision, by
    /// as many halves as there are additions in a row.
    fn rounding(&self) -> f64 {
        let sources = self.part.whole.sources();
        let additions = sources.min(CHUNK) + sources.div_ceil(CHUNK);
        T::EPSILON + 0.5 * f64::EPSILON * additions as f64
    }

    /// sum_j w_j x_j.
    fn mean<J: Join>(&self, replica: usize, join: &J) -> Result<Vec<f64>, J::Error> {
        let add = |weight, x: &[f64], sum: &mut [f64]| {
            for (sum, component) in sum.iter_mut().zip(x) {
                *sum += weight * component;
            }
        };
        Ok(added(join.join(self.partial_sums(replica, vec![0.0; self.part.shape.dim], add))?))
    }

    /// sum_j w_j x_j x_j^T, row-major.
    fn second_moment<J: Join>(&self, replica: usize, join: &J) -> Result<Vec<f64>, J::Error> {
        let dim = self.part.shape.dim;
        let add = |weight, x: &[f64], sum: &mut [f64]| {
            for (row, a) in sum.chunks_exact_mut(dim).zip(x) {
                for (entry, b) in row.iter_mut().zip(x) {
                    *entry += weight * a * b;
                }
            }
        };
        Ok(added(join.join(self.partial_sums(replica, vec![0.0; dim * dim], add))?))
    }

    /// (sum_j w_j |x_j - axis|^2, min_j <x_j, axis>) over tokens of positive weight.
    fn spread<J: Join>(&self, replica: usize, axis: &[f64], join: &J) -> Result<(f64, f64), J::Error> {
        let add = |weight, x: &[f64], spread: &mut [f64]| {
            spread[0] += weight * x.iter().zip(axis).map(|(x, e)| (x - e) * (x - e)).sum::<f64>();
            spread[1] = spread[1].min(x.iter().zip(axis).map(|(x, e)| x * e).sum());
        };
        let partials = join.join(self.partial_sums(replica, vec![0.0, f64::INFINITY], add))?;
        let square_distance = partials.iter().map(|partial| partial[0]).sum();
        Ok((square_distance, partials.iter().map(|partial| partial[1]).fold(f64::INFINITY, f64::min)))
    }

    /// What `add(weight, token, sum)` makes of `start` over the sources of each chunk of one replica.
    fn partial_sums(
        &self,
        replica: usize,
        start: Vec<f64>,
        add: impl Fn(f64, &[f64], &mut [f64]) + Sync,
    ) -> Vec<Vec<f64>> {
        let (dim, sources) = (self.part.shape.dim, self.part.shape.sources());
        let tokens = self.tokens.replica(replica);
        let partial = |chunk: usize| {
            let mut sum = start.clone();
            let first = chunk * CHUNK;
            let rows = tokens.part(first, CHUNK).rows(dim, CHUNK.min(sources - first));
            for (k, x) in rows.chunks_exact(dim).enumerate() {
                let weight = self.part.weight(self.weights, replica, first + k);
                if weight > 0.0 {
                    add(weight, x, &mut sum);
                }
            }
            sum
        };
        (0..sources.div_ceil(CHUNK)).into_par_iter().map(partial).collect()
    }
}
