//! How the place of a token in its replica enters the attention, and the formulas of that, once for all who compute with them.

use std::f64::consts::LOG2_E;

/// How the place of a token in its replica enters the attention.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Position {
    /// It does not.
    #[default]
    Nowhere,
    /// Attention with linear biases: weights are multiplied by e^{-decay (i - j) / n}, n being the number of sources, under
    /// a causal mask. Unnormalized weights are then divided by sum_k w_k e^{-decay (i - k) / n}, as in "Kinetic theory for
    /// Transformers and the lost-in-the-middle phenomenon" (arXiv:2605.09213).
    Alibi {
        /// Per n places, not negative.
        decay: f64,
    },
    /// Components 2m and 2m + 1 of queries and keys are rotated by i base^{-2m / d_k} ("RoFormer", arXiv:2104.09864).
    Rotary {
        /// 10000 in the paper.
        base: f64,
    },
    /// p_i is added to token i where queries and keys are made, and where values are if that is asked for.
    Additive {
        /// (count, d) in row-major order.
        places: Vec<f64>,
        /// Whether values are those of x_j + p_j too ("Anti mode-collapse via positional encodings", arXiv:2605.30229).
        in_values: bool,
    },
}

/// theta_m = base^{-2m / width}: token i turns the components 2m and 2m + 1 of rows of this width by i theta_m.
pub(crate) fn rotary_frequency(base: f64, pair: usize, width: usize) -> f64 {
    base.powf(-2.0 * pair as f64 / width as f64)
}

/// The weights of [`Position::Alibi`] among so many sources, n.
///
/// Under a causal mask e^{-decay (i - j) / n} is a factor of the source times a factor of the token. The first, relative to the last
/// source so that it never exceeds one, belongs to the weight of the source; the second cancels, in the softmax and against the
/// divisor of unnormalized weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Alibi {
    /// Per n places.
    pub decay: f64,
    /// n.
    pub sources: usize,
}

impl Alibi {
    /// log2 e^{decay (j - n + 1) / n}, the factor of source j.
    pub fn log2_factor(&self, source: usize) -> f64 {
        let n = self.sources as f64;
        self.decay * LOG2_E * (source as f64 + 1.0 - n) / n
    }

    /// -decay (i - j) / n, the logarithm of the whole factor.
    pub fn log_factor(&self, token: usize, source: usize) -> f64 {
        -(self.decay / self.sources as f64 * (token as f64 - source as f64))
    }

    /// The most bits, up or down, by which a factor of a source changes its weight.
    pub fn most_bits(&self) -> f64 {
        self.decay.abs() * LOG2_E
    }

    /// T_0 to T_n with T_j = sum_{k < j} w_k e^{decay (k - n + 1) / n}: what divides the weights of a token that sees the sources from j to
    /// k is T_k - T_j.
    pub fn totals(&self, weight: impl Fn(usize) -> f64) -> Vec<f64> {
        let mut totals = vec![0.0; self.sources + 1];
        for source in 0..self.sources {
            totals[source + 1] = totals[source] + weight(source) * self.log2_factor(source).exp2();
        }
        totals
    }
}
