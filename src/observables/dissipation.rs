//! How fast the energy changes along the flow, where the flow is one of its gradient.

use rayon::prelude::*;

use super::{
    Definition, Need, Numbers, Objection, Observable, OnDevice, Setup, View, energy::undefined, equation::Equation,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    model::{Attention, Geometry, Head, Model, Normalization},
    observe::Statistics,
    sums::sources::Sources,
    tokens::Tokens,
    vector::dot,
};

/// `log_energy_rate` = d ln E / dt along the flow, from tokens and velocities at one time: the identity of energy and
/// dissipation dE / dt = (1 / c) sum_i w_i s_i |v_i|^2 for V = c A, s_i = Z_i for softmax (arXiv:2512.01868).
pub struct Dissipation;

const DEFINITION: Definition = Definition {
    word: "dissipation",
    documentation: "log_energy_rate = (dE/dt) / E by the identity dE/dt = (1/c) sum_i w_i s_i |dx_i/dt|^2, s_i = Z_i \
        (softmax), 1 (unnormalized) or e^beta (shifted); for a constant equation with one head, A symmetric and \
        V = c A, without mask, position, perceptron and noise, on the sphere and in R^d",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for Dissipation {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["log_energy_rate".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        undefined(setup, "leave \"dissipation\" out, or write attention.beta = 1e-3")
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        let other = || {
            Objection::new(
                "dissipation is that of a gradient flow: softmax, unnormalized or shifted attention to all, on the sphere or in R^d, \
                 with one head that does not change, A symmetric and V a multiple of A, and nothing else",
                "leave \"dissipation\" out",
            )
        };
        flow_slope(equation).is_none().then(other)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("clusters and velocities of a replica", 4 * DOUBLE, &sizes.shape()[1..])
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(vec![log_energy_rate(view, replica)])
    }

    fn on_device(&self) -> Option<OnDevice> {
        Some(OnDevice::Dissipation)
    }
}

/// d ln E / dt for one head with A symmetric and V = c A, on the sphere and in R^d.
///
/// The gradient of E = (1 / 2 beta) sum_ij w_i w_j e^{beta <x_i, A x_j>} is w_i Z_i g_i with g_i = A sum_j a_ij x_j of softmax
/// weights a, and tokens move by v_i = c (Z_i / s_i) P g_i, with s_i = Z_i for softmax, 1 for unnormalized and e^beta for shifted
/// attention. So
///
/// ```text
/// dE / dt = sum_i w_i <Z_i g_i, v_i> = (1 / c) sum_i w_i s_i |v_i|^2 = c sum_i w_i (Z_i^2 / s_i) |P g_i|^2
/// ```
///
/// and E = (1 / 2 beta) sum_i w_i Z_i. The weight of the head is a factor of c here; as a factor of E it cancels, so that the rate is that
/// of ln |E|. A head without weight has no energy and no rate.
pub(super) fn log_energy_rate(view: &View, replica: usize) -> f64 {
    let (attention, dim) = (&view.model.attention, view.equation.tokens.shape.dim);
    let Some((head, factor)) = attention.heads.first().and_then(|head| Some((head, slope(attention, dim)?))) else {
        return f64::NAN;
    };
    let (mut points, mut log_weights) = (Vec::new(), Vec::new());
    let tokens = view.equation.tokens;
    for (token, x) in view.replica(replica).chunks_exact(dim).take(tokens.shape.sources()).enumerate() {
        let weight = tokens.weight(replica, token);
        if weight > 0.0 {
            points.extend_from_slice(x);
            log_weights.push(weight.ln());
        }
    }
    let matrix = head.query_key.dense(dim, 1.0);
    let images = |rows: &[f64]| -> Vec<f64> {
        rows.par_chunks_exact(dim).flat_map_iter(|x| matrix.chunks_exact(dim).map(move |row| dot(row, x))).collect()
    };
    let beta = attention.beta_in(head, replica);
    let (log_sums, means) = Sources::new(&points, dim).log_sums_and_means(&images(&points), beta, &log_weights);
    let gradients = images(&means);
    // ln w_i Z_i, and those with the factor Z_i / s_i of the velocity and |P g_i|^2.
    let terms: Vec<f64> = log_sums.iter().zip(&log_weights).map(|(sum, weight)| sum + weight).collect();
    let rated = |(row, x): (usize, &[f64])| {
        let log_clock = match attention.normalization {
            Normalization::Unnormalized => log_sums[row],
            Normalization::Shifted => log_sums[row] - beta,
            Normalization::Softmax | Normalization::Hardmax | Normalization::Sinkhorn { .. } => 0.0,
        };
        terms[row] + log_clock + squared_tangent(&view.model.geometry, x, &gradients[row * dim..][..dim]).ln()
    };
    let rates: Vec<f64> = points.chunks_exact(dim).enumerate().map(rated).collect();
    if head.weight == 0.0 {
        return f64::NAN;
    }
    times_exponential(2.0 * beta * factor, log_sum(&rates) - log_sum(&terms))
}

/// ln sum_k e^{t_k}.
fn log_sum(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shift = if largest.is_finite() { largest } else { 0.0 };
    terms.iter().map(|term| (term - shift).exp()).sum::<f64>().ln() + shift
}

/// factor * e^log, which overflows only where the product does.
pub(crate) fn times_exponential(factor: f64, log: f64) -> f64 {
    factor.signum() * (log + factor.abs().ln()).exp()
}

/// |P_x g|^2 on the sphere, |g|^2 in R^d.
fn squared_tangent(geometry: &Geometry, x: &[f64], gradient: &[f64]) -> f64 {
    let along = if geometry.is_unit() { dot(x, gradient) / dot(x, x) } else { 0.0 };
    x.iter().zip(gradient).map(|(x, g)| (g - along * x) * (g - along * x)).sum()
}

/// c times the weight of the head if the energy changes along the flow of `problem` as the tokens move, and by nothing else.
pub(crate) fn flow_slope(equation: &Equation) -> Option<f64> {
    let Equation { tokens, model, model_schedule } = *equation;
    let Model { geometry, attention, perceptron: _, noise: _ } = model;
    let is_flow = matches!(geometry, Geometry::Sphere | Geometry::Euclidean)
        && model_schedule.is_constant()
        && attention.is_plain()
        && model.is_attention_alone();
    let Tokens { shape, coordinates: _, weights: _ } = tokens;
    if is_flow { slope(attention, shape.dim) } else { None }
}

/// c times the weight of the head if there is one head, its A is symmetric, and its V is c A.
fn slope(attention: &Attention, dim: usize) -> Option<f64> {
    let Attention { beta: _, beta_factors: _, normalization: _, mask: _, window: _, position: _, heads } = attention;
    let [head] = &heads[..] else { return None };
    let Head { query_key: _, value: _, biases: _, beta: _, decay: _, weight } = head;
    Some(weight * value_over_query_key(head, dim)?)
}

/// c if A is symmetric and V is c A.
pub(crate) fn value_over_query_key(head: &Head, dim: usize) -> Option<f64> {
    // Who asks decides of biases; beta and the weight of the head stand outside.
    let Head { query_key, value, biases: _, beta: _, decay: _, weight: _ } = head;
    if head.has_matrices_of_replicas() {
        return None;
    }
    if let (Some(query_key), Some(value)) = (query_key.multiple_of_identity(), value.multiple_of_identity()) {
        return (query_key != 0.0).then_some(value / query_key);
    }
    let (query_key, value) = (query_key.dense(dim, 1.0), value.dense(dim, 1.0));
    let largest = (0..dim * dim).max_by(|a, b| query_key[*a].abs().total_cmp(&query_key[*b].abs()))?;
    let factor = value[largest] / query_key[largest];
    // Matrices are typed, or products of some: they agree to rounding.
    let within = 1e-12 * query_key[largest].abs();
    let is_symmetric = (0..dim * dim).all(|k| (query_key[k] - query_key[k % dim * dim + k / dim]).abs() <= within);
    let is_multiple = (0..dim * dim).all(|k| (value[k] - factor * query_key[k]).abs() <= within * factor.abs());
    (is_symmetric && is_multiple).then_some(factor)
}
