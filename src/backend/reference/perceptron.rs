//! Perceptrons, with an error function of their own.

use super::linear::dot;
use crate::model::{Activation, Perceptron};

/// erf by the series of positive terms e^{-x^2} sum_n 2^n x^{2n+1} / (1 3 5 .. (2n+1)).
fn erf(x: f64) -> f64 {
    if x.abs() > 6.0 {
        return x.signum();
    }
    let (mut term, mut sum, mut n) = (x, x, 0.0);
    while term.abs() > 1e-18 {
        n += 1.0;
        term *= 2.0 * x * x / (2.0 * n + 1.0);
        sum += term;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

pub(super) fn sigma(activation: Activation, s: f64) -> f64 {
    match activation {
        Activation::Relu => s.max(0.0),
        Activation::Gelu => s * 0.5 * (1.0 + erf(s / std::f64::consts::SQRT_2)),
        Activation::Tanh => s.tanh(),
        Activation::Identity => s,
    }
}

/// sum_k outer_k sigma(<inner_k, x> + bias_k) + output_bias.
pub(super) fn perceptron(layer: &Perceptron, x: &[f64]) -> Vec<f64> {
    let d = x.len();
    let mut output = layer.output_bias.clone();
    for k in 0..layer.bias.len() {
        let hidden = sigma(layer.activation, dot(&layer.inner[k * d..][..d], x) + layer.bias[k]);
        for c in 0..d {
            output[c] += hidden * layer.outer[k * d + c];
        }
    }
    output
}
