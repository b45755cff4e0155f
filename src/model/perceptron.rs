//! The perceptron of a Transformer layer.

/// x -> sum_k outer_k sigma(<inner_k, x> + bias_k) + output_bias, with m hidden units.
///
/// The gradient form of "Perceptrons and localization of attention's mean-field landscape" (arXiv:2601.21366) has
/// inner_k = a_k and outer_k = omega_k a_k.
#[derive(Clone, Debug, PartialEq)]
pub struct Perceptron {
    /// (m, d) in row-major order.
    pub inner: Vec<f64>,
    /// (m, d) in row-major order.
    pub outer: Vec<f64>,
    /// m numbers.
    pub bias: Vec<f64>,
    /// d numbers.
    pub output_bias: Vec<f64>,
    /// sigma.
    pub activation: Activation,
}

impl Perceptron {
    /// m.
    pub fn width(&self) -> usize {
        self.bias.len()
    }

    /// The same with its output multiplied by `weight`.
    pub fn times(mut self, weight: f64) -> Self {
        self.outer.iter_mut().chain(&mut self.output_bias).for_each(|entry| *entry *= weight);
        self
    }
}

/// The activation sigma.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// max(s, 0).
    Relu,
    /// s Phi(s) with the distribution function Phi of the standard normal law, exactly.
    Gelu,
    /// tanh s.
    Tanh,
    /// s.
    Identity,
}

impl Activation {
    /// sigma(s).
    pub fn of(self, s: f64) -> f64 {
        match self {
            Activation::Relu => s.max(0.0),
            // Phi(s) = erfc(-s / sqrt 2) / 2, without cancellation far to the left.
            Activation::Gelu => 0.5 * s * libm::erfc(-s * std::f64::consts::FRAC_1_SQRT_2),
            Activation::Tanh => s.tanh(),
            Activation::Identity => s,
        }
    }
}
