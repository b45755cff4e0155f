//! Whether the energy goes the way that the exact flow has it, which steps that are too long do not see to.

use crate::{
    backend::{Method, Precision},
    model::{Attention, Geometry, Head, Model, Normalization},
    observables::{Quantity, columns, value_over_query_key},
    observe::Sample,
    problem::Problem,
    scheme::Scheme,
    tokens::Tokens,
    warning::{Warning, WarningKind},
};

/// The energy E of the last sample of every replica, which the exact flow can change in one direction only: with V_h = c A_h and A_h
/// symmetric, dE/dt = c sum_i w_i s_i |P g_i|^2 with positive s_i.
pub(super) struct Ascent {
    /// The sign of c.
    direction: f64,
    /// beta |A|, the largest exponent of a weight between unit vectors.
    kappa: f64,
    dim: usize,
    precision: Precision,
    /// The length of a step.
    h: f64,
    /// Where ln E is in a sample.
    column: usize,
    /// Steps until the last sample, its time, and ln E of each replica.
    last: (u64, f64, Vec<f64>),
}

impl Ascent {
    /// None if nobody asks for the energy of `problem`, or theory promises nothing of it.
    pub fn of(problem: &Problem, precision: Precision) -> Option<Self> {
        let Problem { tokens, model, model_schedule, scheme, schedule, quantities, algorithm: _, tolerance: _ } =
            problem;
        let place = quantities.iter().position(|quantity| *quantity == Quantity::Energy)?;
        let Model { geometry, attention, perceptron: _, noise: _ } = model;
        let Attention { beta, beta_factors: _, normalization, mask: _, window: _, position: _, heads } = attention;
        // The scores of unit vectors are bounded, and so is what rounding makes of them.
        let is_bounded = match geometry {
            Geometry::Sphere | Geometry::PreNorm | Geometry::PeriNorm | Geometry::Ngpt { .. } => true,
            Geometry::Euclidean | Geometry::Rescaled | Geometry::LayerNorm { .. } => false,
        };
        let is_flow = match scheme {
            Scheme::Euler | Scheme::Heun | Scheme::Rk4 => model_schedule.is_constant() && model.is_attention_alone(),
            Scheme::Layer => false,
        };
        // Tokens move by P g_i / s_i with an s_i that heads share.
        let share_clock = match normalization {
            Normalization::Softmax => heads.len() == 1,
            Normalization::Unnormalized => true,
            Normalization::Shifted => heads.iter().all(|head| attention.beta_of(head) == *beta),
            Normalization::Hardmax | Normalization::Sinkhorn { .. } => false,
        };
        if !(is_bounded && is_flow && attention.sees_all() && share_clock) {
            return None;
        }
        let Tokens { shape, coordinates: _, weights: _ } = tokens;
        let dim = shape.dim;
        let factor = |head: &Head| {
            let Head { query_key: _, value: _, biases: _, beta: _, weight } = head;
            (!head.has_biases() && *weight >= 0.0).then(|| value_over_query_key(head, dim)).flatten()
        };
        let factors = heads.iter().map(factor).collect::<Option<Vec<f64>>>()?;
        let direction = factors.first()?.signum();
        let largest = |head: &Head| {
            let Head { query_key, value: _, biases: _, beta: _, weight: _ } = head;
            attention.beta_of(head) * query_key.spectral_norm(dim)
        };
        let agree = factors.iter().all(|factor| (factor / factors[0] - 1.0).abs() < 1e-12);
        agree.then(|| Self {
            direction,
            kappa: heads.iter().map(largest).fold(0.0, f64::max),
            dim,
            precision,
            h: schedule.step(),
            column: columns(&quantities[..place], dim).len(),
            last: (0, f64::NAN, vec![f64::NAN; shape.replicas]),
        })
    }

    /// What is to be said of samples after `done` steps, sums being taken by `method`.
    pub fn warnings(&mut self, samples: &[Sample], done: u64, method: Method) -> Vec<Warning> {
        let log_energies = samples.iter().map(|sample| sample.values[self.column]).collect();
        let time = samples.first().map_or(f64::NAN, |sample| sample.time);
        let (done_before, time_before, before) = std::mem::replace(&mut self.last, (done, time, log_energies));
        let bound = self.rounding(done - done_before) + self.harmonic_error(method, time - time_before);
        let warning = |sample: &Sample| {
            let wrong_way = self.direction * (before[sample.replica] - sample.values[self.column]);
            let (fell, lower) = if self.direction > 0.0 { ("fell", "lower") } else { ("rose", "raise") };
            let sentence = format!(
                "log_energy {fell} by {wrong_way:.1e} between times {time_before} and {time}, where the equation cannot {lower} it: \
                 time.step = {} is too long; take a smaller one",
                self.h
            );
            (wrong_way > bound).then(|| Warning::of_replica(WarningKind::UnstableSteps, sample.replica, sentence))
        };
        samples.iter().filter_map(warning).collect()
    }

    /// Tokens are rounded once a step, and scores and sums once a sample.
    fn rounding(&self, steps: u64) -> f64 {
        let epsilon = match self.precision {
            Precision::Half => 2f64.powi(-11),
            Precision::Single => f64::from(f32::EPSILON),
            Precision::Double => f64::EPSILON,
        };
        epsilon * (64.0 + 8.0 * self.kappa * (self.dim as f64 + 4.0) + 4.0 * self.kappa * steps as f64)
    }

    /// That of the energies at both ends, and of velocities in between, which are units of the largest if that exceeds one.
    fn harmonic_error(&self, method: Method, duration: f64) -> f64 {
        match method {
            Method::Direct => 0.0,
            Method::Harmonic { error, .. } | Method::Abandoned { error } => {
                error * (2.0 + 2.0 * self.kappa * (1.0 + duration))
            }
        }
    }
}
