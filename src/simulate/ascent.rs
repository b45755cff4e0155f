//! Whether the energy goes the way that the exact flow has it, which steps that are too long do not see to.

use super::snapshot::Energies;
use crate::{
    backend::{Method, Precision},
    model::{Attention, Geometry, Head, Model, Normalization},
    observables::{Quantity, columns, value_over_query_key},
    observe::Sample,
    problem::{Problem, Schedule},
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
    /// The steps, and how long they are.
    schedule: Schedule,
    /// Where ln E is in a sample.
    column: usize,
    /// Of the last sample.
    last: Energies,
}

impl Ascent {
    /// None if nobody asks for the energy of `problem`, or theory promises nothing of it.
    pub fn of(problem: &Problem, precision: Precision) -> Option<Self> {
        let Problem { tokens, model, model_schedule, scheme, schedule, quantities, algorithm: _, tolerance: _ } =
            problem;
        let place = quantities.iter().position(|quantity| *quantity == Quantity::Energy)?;
        let Model { geometry, attention, perceptron: _, noise: _, frozen } = model;
        let Attention { beta, beta_factors: _, normalization, mask: _, window: _, position: _, heads } = attention;
        // The scores of unit vectors are bounded, and so is what rounding makes of them.
        let is_bounded = match geometry {
            Geometry::Sphere | Geometry::PreNorm | Geometry::PeriNorm | Geometry::Ngpt { .. } => true,
            Geometry::Euclidean | Geometry::Rescaled | Geometry::LayerNorm { .. } => false,
        };
        let is_flow = match scheme {
            Scheme::Euler | Scheme::Heun | Scheme::BogackiShampine | Scheme::Rk4 => {
                model_schedule.is_constant() && model.is_attention_alone()
            }
            Scheme::Layer => false,
        };
        // Tokens move by P g_i / s_i with an s_i that heads share.
        let share_clock = match normalization {
            Normalization::Softmax => heads.len() == 1,
            Normalization::Unnormalized => true,
            Normalization::Shifted => heads.iter().all(|head| attention.beta_of(head) == *beta),
            Normalization::Hardmax
            | Normalization::Sinkhorn { .. }
            | Normalization::Relu
            | Normalization::Sigmoid => false,
        };
        // Steps of controlled error are counted elsewhere, and are not too long.
        let is_controlled = schedule.control.is_some();
        if is_controlled || !(is_bounded && *frozen == 0 && is_flow && attention.sees_all() && share_clock) {
            return None;
        }
        let Tokens { shape, coordinates: _, weights: _ } = tokens;
        let dim = shape.dim;
        let factor = |head: &Head| {
            let Head { query_key: _, value: _, biases: _, beta: _, decay: _, weight } = head;
            (!head.has_biases() && *weight >= 0.0).then(|| value_over_query_key(head, dim)).flatten()
        };
        let factors = heads.iter().map(factor).collect::<Option<Vec<f64>>>()?;
        let direction = factors.first()?.signum();
        let largest = |head: &Head| {
            let Head { query_key, value: _, biases: _, beta: _, decay: _, weight: _ } = head;
            attention.beta_of(head) * query_key.spectral_norm(dim)
        };
        let agree = factors.iter().all(|factor| (factor / factors[0] - 1.0).abs() < 1e-12);
        agree.then(|| Self {
            direction,
            kappa: heads.iter().map(largest).fold(0.0, f64::max),
            dim,
            precision,
            schedule: schedule.clone(),
            column: columns(&quantities[..place], dim).len(),
            last: Energies { steps: 0, time: f64::NAN, log_energies: vec![f64::NAN; shape.replicas] },
        })
    }

    pub fn snapshot(&self) -> Energies {
        self.last.clone()
    }

    pub fn resume(&mut self, last: &Energies) {
        self.last.clone_from(last);
    }

    /// What is to be said of samples after `done` steps, sums being taken by `method`.
    pub fn warnings(&mut self, samples: &[Sample], done: u64, method: Method) -> Vec<Warning> {
        let log_energies = samples.iter().map(|sample| sample.values[self.column]).collect();
        let time = samples.first().map_or(f64::NAN, |sample| sample.time);
        let now = Energies { steps: done, time, log_energies };
        let Energies { steps: done_before, time: time_before, log_energies: before } =
            std::mem::replace(&mut self.last, now);
        let bound = self.rounding(done - done_before) + self.harmonic_error(method, time - time_before);
        let warning = |sample: &Sample| {
            let wrong_way = self.direction * (before[sample.replica] - sample.values[self.column]);
            let (fell, lower) = if self.direction > 0.0 { ("fell", "lower") } else { ("rose", "raise") };
            let sentence = format!(
                "log_energy {fell} by {wrong_way:.1e} between times {time_before} and {time}, where the equation cannot {lower} it: \
                 time.step = {} is too long; take a smaller one",
                self.schedule.step(done.saturating_sub(1))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        model::{Activation, Calculus, Matrix, ModelSchedule, Noise, NoiseField, Perceptron},
        problem::Algorithm,
        tokens::{Shape, Weights},
    };

    /// Two replicas of two tokens on the circle under one unnormalized head with A = a I, V = v I and the energy behind two other columns.
    fn problem(a: f64, v: f64) -> Problem {
        let head = Head { query_key: Matrix::Scale(a), value: Matrix::Scale(v), ..Head::default() };
        let attention = Attention {
            beta: 3.0,
            normalization: Normalization::Unnormalized,
            heads: vec![head],
            ..Attention::default()
        };
        Problem {
            tokens: Tokens {
                shape: Shape { replicas: 2, count: 2, dim: 2, passive: 0 },
                coordinates: [1.0, 0.0, 0.0, 1.0].repeat(2),
                weights: Weights::Equal,
            },
            model: attention.into(),
            model_schedule: ModelSchedule::Constant,
            scheme: Scheme::Rk4,
            schedule: Schedule::even(40, 10.0, 10),
            quantities: vec![Quantity::Modes(crate::observables::Modes { degree: 2 }), Quantity::Energy],
            algorithm: Algorithm::Direct,
            tolerance: None,
        }
    }

    /// What is said of a replica whose ln E goes from `before` at step 10 to `after` at step 30, while that of the other stays.
    fn said(problem: &Problem, method: Method, before: f64, after: f64) -> Vec<Warning> {
        let sample = |replica, time, log_energy| Sample { replica, time, values: vec![0.1, 0.2, log_energy] };
        let mut ascent = Ascent::of(problem, Precision::Double).expect("a promise");
        let samples = |time, log_energy| [sample(0, time, 1.0), sample(1, time, log_energy)];
        assert_eq!(ascent.warnings(&samples(2.5, before), 10, method), [], "there is nothing to compare with");
        ascent.warnings(&samples(7.5, after), 30, method)
    }

    #[test]
    fn a_wrong_way_is_told_with_its_size_and_its_times() {
        let remedy = "time.step = 0.25 is too long; take a smaller one";
        let fell = "log_energy fell by 2.5e-1 between times 2.5 and 7.5, where the equation cannot lower it: ";
        let rose = "log_energy rose by 2.5e-1 between times 2.5 and 7.5, where the equation cannot raise it: ";
        for (value, before, after, sentence) in [(0.5, 1.75, 1.5, fell), (-0.5, 1.5, 1.75, rose)] {
            let warning = Warning::of_replica(WarningKind::UnstableSteps, 1, format!("{sentence}{remedy}"));
            assert_eq!(said(&problem(1.0, value), Method::Direct, before, after), [warning]);
            assert_eq!(said(&problem(1.0, value), Method::Direct, after, before), [], "the right way");
        }
    }

    /// With kappa = beta |A| = 6 and d = 2: 2^-52 (64 + 8 kappa (d + 4) + 4 kappa 20 steps), and with an error e of harmonics over a time
    /// of 5 another e (2 + 2 kappa 6).
    #[test]
    fn what_rounding_and_harmonics_may_do_is_no_wrong_way() {
        let rounding = 2f64.powi(-52) * (64.0 + 288.0 + 480.0);
        let harmonic = Method::Abandoned { error: 1e-9 };
        for (method, bound) in [(Method::Direct, rounding), (harmonic, rounding + 74e-9)] {
            let wrong_ways = |share: f64| said(&problem(-2.0, -1.0), method, share * bound, 0.0).len();
            assert_eq!((wrong_ways(0.99), wrong_ways(1.01)), (0, 1), "{method:?}");
        }
    }

    #[test]
    fn nothing_is_promised_of_more_than_attention() {
        let is_promised = |change: &dyn Fn(&mut Problem)| {
            let mut problem = problem(1.0, 1.0);
            change(&mut problem);
            Ascent::of(&problem, Precision::Double).is_some()
        };
        let noise = Noise {
            field: NoiseField::Independent,
            intensity: 0.1,
            calculus: Calculus::Ito,
            seed: 1,
            is_shared: false,
        };
        let perceptron = Perceptron {
            inner: vec![1.0, 0.0],
            outer: vec![0.0, 1.0],
            bias: vec![0.0],
            output_bias: vec![0.0; 2],
            activation: Activation::Tanh,
        };
        assert!(is_promised(&|_| ()));
        assert!(!is_promised(&|problem| problem.model.noise = Some(noise.clone())));
        assert!(!is_promised(&|problem| problem.model.perceptron = Some(perceptron.clone())));
        assert!(!is_promised(
            &|problem| problem.model_schedule = ModelSchedule::Layers(vec![problem.model.clone(); 40])
        ));
        assert!(!is_promised(&|problem| problem.quantities.truncate(1)));
        assert!(!is_promised(&|problem| problem.model.attention.heads[0].weight = -1.0));
    }

    /// Under softmax every head has a clock of its own; unnormalized heads need one ratio of V and A. A head of no weight is none.
    #[test]
    fn heads_that_do_not_share_a_clock_or_a_ratio_promise_nothing() {
        let with = |normalization, second: f64, weight: f64| {
            let mut problem = problem(1.0, 1.0);
            let head = Head { value: Matrix::Scale(second), weight, ..problem.model.attention.heads[0].clone() };
            problem.model.attention.normalization = normalization;
            problem.model.attention.heads.push(head);
            Ascent::of(&problem, Precision::Double).is_some()
        };
        let of = |normalization, second: f64| with(normalization, second, 1.0);
        assert!(with(Normalization::Unnormalized, 1.0, 0.0) && !with(Normalization::Unnormalized, 1.0, -1.0));
        assert!(of(Normalization::Unnormalized, 1.0) && of(Normalization::Shifted, 1.0));
        assert!(!of(Normalization::Softmax, 1.0));
        assert!(!of(Normalization::Unnormalized, 1.5) && !of(Normalization::Unnormalized, -1.0));
    }
}
