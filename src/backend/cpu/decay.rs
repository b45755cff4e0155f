//! Attention with linear biases: weights that decay with the distance between places.
//!
//! Under a causal mask e^{-decay (i - j) / n} is a factor of the source times a factor of the token. The first goes into
//! the bias of the keys, relative to the last source so that it never exceeds one; the second cancels, in the softmax and
//! against the divisor of unnormalized weights.

use std::f64::consts::LOG2_E;

use crate::{
    model::{Attention, Normalization, Position},
    sums::{keys::Bias, real::Real},
    tokens::{Shape, Weights},
};

pub(super) struct Decay<T> {
    /// log2 w_j e^{decay (j - n + 1) / n}.
    pub(super) bias: Bias<T>,
    /// log2 of the sum over the sources that a token sees, ordered (replica, token), where weights are not normalized.
    log2_divisors: Option<Vec<f64>>,
    count: usize,
}

impl<T: Real> Decay<T> {
    /// Nothing if weights do not decay.
    pub(super) fn new(attention: &Attention, shape: Shape, weights: &Weights, plain: &Bias<T>) -> Option<Self> {
        let Position::Alibi { decay } = attention.position else { return None };
        let sources = shape.sources();
        let log2_factor = |j: usize| decay * LOG2_E * (j as f64 + 1.0 - sources as f64) / sources as f64;
        let divides = matches!(attention.normalization, Normalization::Unnormalized | Normalization::Shifted);
        let log2_divisors = divides.then(|| {
            let replica = |replica: usize| {
                let mut totals = vec![0.0; sources + 1];
                for j in 0..sources {
                    totals[j + 1] = totals[j] + weights.of(shape, replica, j) * log2_factor(j).exp2();
                }
                let visibility = |token: usize| attention.visible(token, sources);
                (0..shape.count)
                    .map(|i| (totals[visibility(i).end] - totals[visibility(i).start]).log2())
                    .collect::<Vec<_>>()
            };
            (0..shape.replicas).flat_map(replica).collect()
        });
        Some(Self { bias: plain.placed(shape, log2_factor), log2_divisors, count: shape.count })
    }

    /// The divisors of the tokens of one replica from `first` on.
    pub(super) fn log2_divisors(&self, replica: usize, first: usize) -> Option<&[f64]> {
        self.log2_divisors.as_ref().map(|divisors| &divisors[replica * self.count + first..])
    }
}
