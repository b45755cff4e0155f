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

    /// The c_k with which it is sum_k c_k sigma(<a_k, x>) a_k with a_k = inner_k, the gradient of sum_k c_k Phi(<a_k, x>) with Phi the integral of sigma, if
    /// it is, of tokens of width `dim`.
    pub(crate) fn gradient_weights(&self, dim: usize) -> Option<Vec<f64>> {
        let Perceptron { inner, outer, bias, output_bias, activation: _ } = self;
        if bias.iter().chain(output_bias).any(|bias| *bias != 0.0) {
            return None;
        }
        let weight = |(a, outer): (&[f64], &[f64])| {
            let largest = (0..dim).max_by(|k, l| a[*k].abs().total_cmp(&a[*l].abs()))?;
            let weight = if a[largest] == 0.0 { 0.0 } else { outer[largest] / a[largest] };
            // Entries are products, each rounded once or twice.
            let within = 1e-12 * outer[largest].abs();
            a.iter().zip(outer).all(|(a, outer)| (outer - weight * a).abs() <= within).then_some(weight)
        };
        inner.chunks_exact(dim).zip(outer.chunks_exact(dim)).map(weight).collect()
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

    /// The integral of sigma from 0 to s.
    pub(crate) fn integral(self, s: f64) -> f64 {
        match self {
            Activation::Relu => 0.5 * s.max(0.0).powi(2),
            // ((s^2 - 1) Phi(s) + s phi(s)) / 2 + 1/4 with Phi(s) = 1/2 + erf(s / sqrt 2) / 2.
            Activation::Gelu => {
                let half_erf = 0.5 * libm::erf(s * std::f64::consts::FRAC_1_SQRT_2);
                let density = (-0.5 * s * s).exp() / (2.0 * std::f64::consts::PI).sqrt();
                0.25 * s * s + 0.5 * ((s * s - 1.0) * half_erf + s * density)
            }
            // ln cosh s, without overflow.
            Activation::Tanh => s.abs() + (-2.0 * s.abs()).exp().ln_1p() - std::f64::consts::LN_2,
            Activation::Identity => 0.5 * s * s,
        }
    }
}
