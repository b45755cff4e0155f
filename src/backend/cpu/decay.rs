//! Attention with linear biases, as the bias of the keys and the divisors of tokens.

use crate::{
    model::{Attention, Head},
    sums::{keys::Bias, real::Real},
    tokens::{Shape, Weights},
};

/// Those of all heads, or one for each.
pub(super) struct Decays<T>(Vec<Decay<T>>);

impl<T: Real> Decays<T> {
    /// Nothing if weights do not decay.
    pub(super) fn new(attention: &Attention, shape: Shape, weights: &Weights, plain: &Bias<T>) -> Option<Self> {
        let differing = if attention.has_decays_of_heads() { attention.heads.len() } else { 1 };
        let heads = attention.heads.iter().take(differing);
        heads.map(|head| Decay::new(attention, head, shape, weights, plain)).collect::<Option<Vec<_>>>().map(Self)
    }

    pub(super) fn of(&self, head: usize) -> &Decay<T> {
        &self.0[head % self.0.len()]
    }
}

pub(super) struct Decay<T> {
    /// log2 w_j e^{decay (j - n + 1) / n}.
    pub(super) bias: Bias<T>,
    /// log2 of the sum over the sources that a token sees, ordered (replica, token), where weights are not normalized.
    log2_divisors: Option<Vec<f64>>,
    count: usize,
}

impl<T: Real> Decay<T> {
    fn new(attention: &Attention, head: &Head, shape: Shape, weights: &Weights, plain: &Bias<T>) -> Option<Self> {
        let sources = shape.sources();
        let alibi = attention.alibi_of(head, sources)?;
        let log2_divisors = (!attention.normalization.is_divided()).then(|| {
            let replica = |replica: usize| {
                let totals = alibi.totals(|j| weights.of(shape, replica, j));
                let visibility = |token: usize| attention.visible(token, sources);
                (0..shape.count)
                    .map(|i| (totals[visibility(i).end] - totals[visibility(i).start]).log2())
                    .collect::<Vec<_>>()
            };
            (0..shape.replicas).flat_map(replica).collect()
        });
        Some(Self { bias: plain.placed(shape, |j| alibi.log2_factor(j)), log2_divisors, count: shape.count })
    }

    /// The divisors of the tokens of one replica from `first` on.
    pub(super) fn log2_divisors(&self, replica: usize, first: usize) -> Option<&[f64]> {
        self.log2_divisors.as_ref().map(|divisors| &divisors[replica * self.count + first..])
    }
}
