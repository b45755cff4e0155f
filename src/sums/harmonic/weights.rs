//! The weights of the keys as the moments take them: themselves, not their logarithms, in units of the largest.

use super::super::{columns::Columns, real::Real};
use crate::tokens::Tokens;

/// Below this a weight is zero: sums would not see it, and subnormal numbers are slow.
const SMALLEST: f64 = 1e-30;

/// Weights of the keys of one replica: w_j = 2^{log2_scale} relative_j.
#[derive(Clone, Copy)]
pub(crate) struct ScaledWeights<'a, T> {
    pub(crate) relative: &'a [T],
    pub(crate) log2_scale: f64,
}

/// w_j / 2^{log2_scale} of every token of every replica; zero for passive tokens and padding.
pub(crate) struct Weights<T> {
    columns: Columns<T>,
    log2_scales: Vec<f64>,
}

impl<T: Real> Weights<T> {
    pub(crate) fn new(tokens: &Tokens) -> Self {
        let shape = tokens.shape;
        let mut columns = Columns::zeros(shape.replicas, 1, shape.count);
        let mut log2_scales = Vec::with_capacity(shape.replicas);
        for (replica, mut column) in columns.replicas_mut().enumerate() {
            let weights = (0..shape.sources()).map(|token| tokens.weight(replica, token));
            let largest = weights.clone().fold(0.0, f64::max);
            for (relative, weight) in column.column_mut(0).iter_mut().zip(weights) {
                *relative = representable(weight / largest);
            }
            log2_scales.push(largest.log2());
        }
        Self { columns, log2_scales }
    }

    /// Those of one replica from their logarithms to base 2.
    pub(crate) fn from_log2(log2_weights: impl ExactSizeIterator<Item = f64> + Clone) -> Self {
        let mut columns = Columns::zeros(1, 1, log2_weights.len());
        let largest = log2_weights.clone().fold(f64::NEG_INFINITY, f64::max);
        for mut column in columns.replicas_mut() {
            for (relative, weight) in column.column_mut(0).iter_mut().zip(log2_weights.clone()) {
                *relative = representable((weight - largest).exp2());
            }
        }
        Self { columns, log2_scales: vec![largest] }
    }

    pub(crate) fn replica(&self, replica: usize) -> ScaledWeights<'_, T> {
        let relative = self.columns.replica(replica).column(0);
        ScaledWeights { relative, log2_scale: self.log2_scales[replica] }
    }
}

fn representable<T: Real>(relative: f64) -> T {
    T::from_f64(if relative > SMALLEST { relative } else { 0.0 })
}
