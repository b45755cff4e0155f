//! The weights of the keys as the moments take them: themselves, not their logarithms, in units of the largest.

use std::ops::Range;

use super::super::{
    columns::{Columns, Numbers},
    real::Real,
};
use crate::tokens::{Shape, Weights as TokenWeights};

/// Below this a weight is zero: sums would not see it, and subnormal numbers are slow.
const SMALLEST: f64 = 1e-30;

/// Weights of the keys of one replica: w_j = 2^{log2_scale} relative_j.
#[derive(Clone, Copy)]
pub(crate) struct ScaledWeights<'a, T> {
    relative: Relative<'a, T>,
    pub(crate) log2_scale: f64,
}

#[derive(Clone, Copy)]
enum Relative<'a, T> {
    Each(&'a [T]),
    /// One for so many keys, and zero for those after them.
    Equal(usize),
}

impl<T: Real> ScaledWeights<'_, T> {
    /// w_j / 2^{log2_scale} of some keys, which where weights are equal are made in `room`.
    pub(crate) fn of<'b>(&'b self, keys: Range<usize>, room: &'b mut Numbers<T>) -> &'b [T] {
        match self.relative {
            Relative::Each(relative) => &relative[keys],
            Relative::Equal(sources) => {
                let weights = &mut room.all_mut()[..keys.len()];
                let (ones, zeros) = weights.split_at_mut(sources.saturating_sub(keys.start).min(keys.len()));
                ones.fill(T::from_f64(1.0));
                zeros.fill(T::ZERO);
                weights
            }
        }
    }
}

/// w_j / 2^{log2_scale} of every token of every replica; zero for passive tokens and padding.
pub(crate) struct Weights<T> {
    /// None where all keys have the same weight, so that nobody need hold it for each.
    columns: Option<Columns<T>>,
    sources: usize,
    log2_scales: Vec<f64>,
}

impl<T: Real> Weights<T> {
    /// From the `given` weights; where there is one for each token, that of each, and the largest of each replica. Those of tokens that
    /// weigh the same are in units of `equal`.
    pub(crate) fn of(shape: Shape, given: &TokenWeights, equal: f64, largest: impl Fn(usize) -> f64) -> Self {
        let sources = shape.sources();
        let TokenWeights::Each(given) = given else {
            return Self { columns: None, sources, log2_scales: vec![equal.log2(); shape.replicas] };
        };
        let mut columns = Columns::zeros(shape.replicas, 1, shape.count);
        let mut log2_scales = Vec::with_capacity(shape.replicas);
        for (replica, mut column) in columns.replicas_mut().enumerate() {
            let weights = given[replica * shape.count..][..sources].iter();
            let largest = largest(replica);
            for (relative, weight) in column.column_mut(0).iter_mut().zip(weights) {
                *relative = representable(weight / largest);
            }
            log2_scales.push(largest.log2());
        }
        Self { columns: Some(columns), sources, log2_scales }
    }

    /// Those of one replica from their logarithms to base 2.
    pub(crate) fn from_log2(log2_weights: impl ExactSizeIterator<Item = f64> + Clone) -> Self {
        let sources = log2_weights.len();
        let mut columns = Columns::zeros(1, 1, sources);
        let largest = log2_weights.clone().fold(f64::NEG_INFINITY, f64::max);
        for mut column in columns.replicas_mut() {
            for (relative, weight) in column.column_mut(0).iter_mut().zip(log2_weights.clone()) {
                *relative = representable((weight - largest).exp2());
            }
        }
        Self { columns: Some(columns), sources, log2_scales: vec![largest] }
    }

    pub(crate) fn replica(&self, replica: usize) -> ScaledWeights<'_, T> {
        let relative = match &self.columns {
            Some(columns) => Relative::Each(columns.replica(replica).column(0)),
            None => Relative::Equal(self.sources),
        };
        ScaledWeights { relative, log2_scale: self.log2_scales[replica] }
    }
}

fn representable<T: Real>(relative: f64) -> T {
    T::from_f64(if relative > SMALLEST { relative } else { 0.0 })
}
