//! How fast the energy changes along the flow, where the flow is one of its gradient.

use super::{
    Definition, Need, Numbers, Objection, Observable, OnDevice, Setup, View, attention::images, energy::undefined,
    equation::Equation,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    model::{self, Attention, Geometry, Head, HeadRates, Jump, MatrixSchedule, Model, Normalization, Operand, Rates},
    observe::Statistics,
    sums::sources::Sources,
    tokens::Tokens,
    vector::dot,
};

/// `log_energy_rate` = d ln |E| / dt along the flow, from tokens and velocities at one time: of one head with V = c A the identity of
/// energy and dissipation dE / dt = (1 / c) sum_i w_i s_i |v_i|^2, s_i = Z_i for softmax (arXiv:2512.01868), and in general
/// dE / dt = sum_i <grad_i E, v_i> (arXiv:2605.18870).
pub struct Dissipation;

const DEFINITION: Definition = Definition {
    word: "dissipation",
    documentation: "log_energy_rate = (dE/dt) / E of the E of energy, by the identity dE/dt = (1/c) sum_i w_i s_i |dx_i/dt|^2, \
        s_i = Z_i (softmax), 1 (unnormalized) or e^beta (shifted), of one head with V = c A; else dE/dt = sum_i \
        <grad_i E, dx_i/dt>, for any heads; with symmetric A_h, without mask, position, perceptron and noise, on the sphere and in \
        R^d; of an equation that changes by ramps and oscillating matrices at its weights of that time, energy_drift being the rest",
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
        if let Err(jump) = equation.model_schedule.rates(equation.model.attention.heads.len(), 0.0) {
            let problem =
                format!("dissipation is that of heads that change smoothly, and {} does not", name_of(jump));
            return Some(Objection::new(
                problem,
                "write a ramp or an oscillating matrix, or leave \"dissipation\" out",
            ));
        }
        let other = || {
            Objection::new(
                "dissipation is that of softmax, unnormalized or shifted attention to all, on the sphere or in R^d, with A symmetric at all \
                 times, and nothing else",
                "leave \"dissipation\" out",
            )
        };
        (!has_rate(equation)).then(other)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("clusters and velocities of a replica", 4 * DOUBLE, &sizes.shape()[1..])
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        let rate = if flow_slope(&view.equation).is_some() { log_energy_rate } else { rate_of_heads };
        Ok(vec![rate(view, replica)])
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
    let (points, log_weights) = heavy(view, replica);
    let beta = attention.beta_in(head, replica);
    let Pulls { log_sums, means } = Pulls::new(&points, &log_weights, head, beta, dim);
    let gradients = images(&means, &head.query_key.dense(dim, 1.0), &[], dim);
    // ln w_i Z_i, and those with the factor Z_i / s_i of the velocity and |P g_i|^2.
    let terms: Vec<f64> = log_sums.iter().zip(&log_weights).map(|(sum, weight)| sum + weight).collect();
    let rated = |(row, x): (usize, &[f64])| {
        let log_clock = log_clock(attention.normalization, log_sums[row], beta);
        terms[row] + log_clock + squared_tangent(&view.model.geometry, x, &gradients[row * dim..][..dim]).ln()
    };
    let rates: Vec<f64> = points.chunks_exact(dim).enumerate().map(rated).collect();
    if head.weight == 0.0 {
        return f64::NAN;
    }
    times_exponential(2.0 * beta * factor, log_sum(&rates) - log_sum(&terms))
}

/// d ln |E| / dt for heads with symmetric A_h and any V_h: with the softmax means m_i^h the gradient of E by x_i is w_i g_i with
/// g_i = sum_h c_h Z_i^h A_h m_i^h, and v_i = P sum_h c_h (Z_i^h / s_i^h) V_h m_i^h, so that dE / dt = sum_i w_i <g_i, v_i>. Not a number where E
/// vanishes.
fn rate_of_heads(view: &View, replica: usize) -> f64 {
    let (attention, dim) = (&view.model.attention, view.equation.tokens.shape.dim);
    let (points, log_weights) = heavy(view, replica);
    let heads: Vec<(&Head, f64, Pulls)> = attention
        .heads
        .iter()
        .filter(|head| head.weight != 0.0)
        .map(|head| {
            let beta = attention.beta_in(head, replica);
            (head, beta, Pulls::new(&points, &log_weights, head, beta, dim))
        })
        .collect();
    let clock = |pulls: &Pulls, row: usize, beta: f64| log_clock(attention.normalization, pulls.log_sums[row], beta);
    let rows = 0..log_weights.len();
    let largest = |of: &dyn Fn(&Pulls, usize, f64) -> f64| {
        let all = heads.iter().flat_map(|(_, beta, pulls)| rows.clone().map(move |row| of(pulls, row, *beta)));
        all.fold(f64::NEG_INFINITY, f64::max)
    };
    // What gradients and energies, and what velocities are divided by.
    let (height, speed) = (largest(&|pulls, row, _| pulls.log_sums[row]), largest(&clock));
    let (mut gradients, mut velocities) = (vec![0.0; points.len()], vec![0.0; points.len()]);
    let mut energy = 0.0;
    for (head, beta, pulls) in &heads {
        let pulled = images(&pulls.means, &head.query_key.dense(dim, head.weight), &[], dim);
        let moved = images(&pulls.means, &head.value.dense(dim, head.weight), &[], dim);
        for row in rows.clone() {
            let share = (pulls.log_sums[row] - height).exp();
            let pace = (clock(pulls, row, *beta) - speed).exp();
            energy += head.weight / (2.0 * beta) * log_weights[row].exp() * share;
            for k in row * dim..(row + 1) * dim {
                gradients[k] += share * pulled[k];
                velocities[k] += pace * moved[k];
            }
        }
    }
    let is_unit = view.model.geometry.is_unit();
    let rate = |row: usize| {
        let [x, g, v] = [&points, &gradients, &velocities].map(|rows| &rows[row * dim..][..dim]);
        let along = if is_unit { dot(x, g) * dot(x, v) / dot(x, x) } else { 0.0 };
        log_weights[row].exp() * (dot(g, v) - along)
    };
    times_exponential(rows.map(rate).sum::<f64>() / energy, speed)
}

/// The tokens of positive weight of a replica, and the logarithms of their weights.
pub(super) fn heavy(view: &View, replica: usize) -> (Vec<f64>, Vec<f64>) {
    let tokens = view.equation.tokens;
    let (mut points, mut log_weights) = (Vec::new(), Vec::new());
    for (token, x) in view.replica(replica).chunks_exact(tokens.shape.dim).take(tokens.shape.sources()).enumerate() {
        let weight = tokens.weight(replica, token);
        if weight > 0.0 {
            points.extend_from_slice(x);
            log_weights.push(weight.ln());
        }
    }
    (points, log_weights)
}

/// ln Z_i of a head at all tokens, and the means of tokens under its weights.
pub(super) struct Pulls {
    pub(super) log_sums: Vec<f64>,
    pub(super) means: Vec<f64>,
}

impl Pulls {
    pub(super) fn new(points: &[f64], log_weights: &[f64], head: &Head, beta: f64, dim: usize) -> Self {
        let queries = images(points, &head.query_key.dense(dim, 1.0), &[], dim);
        let (log_sums, means) = Sources::new(points, dim).log_sums_and_means(&queries, beta, log_weights);
        Self { log_sums, means }
    }
}

/// ln(Z_i / s_i).
fn log_clock(normalization: Normalization, log_sum: f64, beta: f64) -> f64 {
    match normalization {
        Normalization::Unnormalized => log_sum,
        Normalization::Shifted => log_sum - beta,
        Normalization::Softmax
        | Normalization::Hardmax
        | Normalization::Sinkhorn { .. }
        | Normalization::Relu
        | Normalization::Sigmoid => 0.0,
    }
}

/// ln sum_k e^{t_k}.
pub(super) fn log_sum(terms: &[f64]) -> f64 {
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
    let Model { geometry: _, attention, perceptron: _, noise: _, frozen: _ } = model;
    let Tokens { shape, coordinates: _, weights: _ } = tokens;
    let is_flow = model_schedule.is_constant() && moves_by_attention(equation);
    if is_flow { slope(attention, shape.dim) } else { None }
}

/// Whether attention to all moves tokens of the sphere or of R^d at time zero, and nothing else does.
fn moves_by_attention(equation: &Equation) -> bool {
    let Equation { tokens: _, model, model_schedule: _ } = *equation;
    let Model { geometry: _, attention: _, perceptron: _, noise: _, frozen } = model;
    is_in_place(equation) && *frozen == 0 && model.is_attention_alone()
}

/// Whether all tokens of the sphere or of R^d see all, whatever else moves them.
pub(super) fn is_in_place(equation: &Equation) -> bool {
    let Equation { tokens: _, model, model_schedule: _ } = *equation;
    let Model { geometry, attention, perceptron: _, noise: _, frozen: _ } = model;
    matches!(geometry, Geometry::Sphere | Geometry::Euclidean) && attention.is_plain()
}

/// The key of what has no derivative.
pub(super) fn name_of(jump: Jump<'_>) -> String {
    let part = match jump {
        Jump::Layers => return "an equation of layers".into(),
        Jump::Part(part) => part,
    };
    match part {
        model::Part::Beta(_) => "attention.beta by layers".into(),
        model::Part::Weight { head, schedule: _ } => format!("attention.head.{head}.weight by layers"),
        model::Part::Matrix { head, operand, schedule } => {
            let operand = match operand {
                Operand::QueryKey => "query-key",
                Operand::Value => "value",
            };
            let form = match schedule {
                MatrixSchedule::Layers(_) => " by layers",
                MatrixSchedule::Random(_) => ", which is drawn anew,",
                MatrixSchedule::OrnsteinUhlenbeck(_) => ", an Ornstein-Uhlenbeck process,",
                MatrixSchedule::Oscillating { .. } | MatrixSchedule::OfQueryKey(_) => "",
            };
            format!("attention.head.{head}.{operand}{form}")
        }
        model::Part::Perceptron(_) => "a perceptron that changes".into(),
        model::Part::Alpha(_) => "tokens.alpha".into(),
        model::Part::Geometry { .. } | model::Part::Rescaled { .. } => "tokens.geometry".into(),
    }
}

/// Whether the rate of the energy is known: the gradient of a head is that of a symmetric A.
fn has_rate(equation: &Equation) -> bool {
    let Equation { tokens, model, model_schedule } = *equation;
    let Model { geometry: _, attention, perceptron: _, noise: _, frozen: _ } = model;
    let Attention { beta: _, beta_factors: _, normalization: _, mask: _, window: _, position: _, heads } = attention;
    let Tokens { shape, coordinates: _, weights: _ } = tokens;
    let dim = shape.dim;
    let has_gradient = |head: &Head| {
        let Head { query_key, value: _, biases: _, beta: _, decay: _, weight: _ } = head;
        query_key.multiple_of_identity().is_some() || is_symmetric(&query_key.dense(dim, 1.0), dim)
    };
    // Of A + sin(frequency t) B the derivative at time zero is a multiple of B.
    let stays_symmetric = |rates: Rates| {
        let Rates { beta: _, heads } = rates;
        heads.iter().all(|HeadRates { weight: _, query_key }| query_key.is_empty() || is_symmetric(query_key, dim))
    };
    moves_by_attention(equation)
        && heads.iter().all(has_gradient)
        && model_schedule.rates(heads.len(), 0.0).is_ok_and(stays_symmetric)
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
    let within = ROUNDING * query_key[largest].abs();
    let is_multiple = (0..dim * dim).all(|k| (value[k] - factor * query_key[k]).abs() <= within * factor.abs());
    (is_symmetric(&query_key, dim) && is_multiple).then_some(factor)
}

/// How far entries that are the same may be apart, relative to the largest: matrices are typed, or products of some.
const ROUNDING: f64 = 1e-12;

fn is_symmetric(matrix: &[f64], dim: usize) -> bool {
    let largest = matrix.iter().fold(0.0, |largest: f64, entry| largest.max(entry.abs()));
    (0..dim * dim).all(|k| (matrix[k] - matrix[k % dim * dim + k / dim]).abs() <= ROUNDING * largest)
}
