//! How fast two replicas part that started next to each other.

use super::{Definition, Need, Numbers, Objection, Observable, OnDevice, Setup, View, equation::Equation};
use crate::{
    budget::{Part, Sizes},
    model::{Model, Noise, NoiseField},
    observe::Statistics,
};

/// `log_growth` = ln(d_t / d_0) and `lyapunov` = ln(d_t / d_0) / t for d = (sum_j w_j |x_j - y_j|^2)^{1/2} between two replicas that
/// start next to each other, 0 and 1, 2 and 3, ..; `lyapunov` is not a number at t = 0.
pub struct Lyapunov;

const DEFINITION: Definition = Definition {
    word: "lyapunov",
    documentation: "log_growth = ln(d_t / d_0) and lyapunov = ln(d_t / d_0) / t, not a number at t = 0, of the distance d = \
        (sum_j w_j |x_j - y_j|^2)^{1/2} of two replicas that start next to each other (tokens.perturbation)",
    needs: &[Need::Tokens],
    replicas_a_sample: 2,
    curve: None,
};

impl Observable for Lyapunov {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["log_growth".into(), "lyapunov".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let apart = || {
            Objection::new(
                "lyapunov compares pairs of replicas that start next to each other",
                "write tokens.perturbation = 1e-6 and an even tokens.replicas",
            )
        };
        (!setup.is_perturbed).then(apart)
    }

    fn objection_to_problem(&self, equation: &Equation) -> Option<Objection> {
        let noises = || {
            Objection::new(
                "lyapunov compares replicas under the same noise, and here each has its own",
                "write a common noise.field and noise.replicas = \"shared\"",
            )
        };
        has_noises(equation.model).then(noises)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(exponent(view, replica, distance(view, view.tokens, replica)).into())
    }

    fn on_device(&self) -> Option<OnDevice> {
        Some(OnDevice::Separation)
    }

    /// A device measures d_t alone, since it knows neither the time nor the start.
    fn complete(&self, view: &View, replica: usize, measured: &[f64]) -> Vec<f64> {
        match measured {
            [distance] => exponent(view, replica, *distance).into(),
            others => others.to_vec(),
        }
    }
}

/// Whether each replica has a noise of its own.
fn has_noises(model: &Model) -> bool {
    let Model { geometry: _, attention: _, perceptron: _, noise, frozen: _ } = model;
    let is_own = |noise: &Noise| {
        let Noise { field, intensity: _, calculus: _, seed: _, is_shared } = noise;
        match field {
            NoiseField::Independent => true,
            NoiseField::CommonAdditive | NoiseField::CommonMatrix | NoiseField::CommonPerceptron { .. } => !is_shared,
        }
    };
    noise.as_ref().is_some_and(is_own)
}

/// ln(d_t / d_0) and its share of time, for d_t between the replica and the one it is paired with: 0 and 1, 2 and 3, and so on. The
/// rate is not a number at time zero, and both where the replica has no pair.
fn exponent(view: &View, replica: usize, distance_now: f64) -> [f64; 2] {
    let growth = (distance_now / distance(view, &view.equation.tokens.coordinates, replica)).ln();
    [growth, if view.time > 0.0 { growth / view.time } else { f64::NAN }]
}

/// (sum_j w_j |x_j - y_j|^2)^{1/2} between the replica and the one it is paired with, whose tokens are both among `tokens`; not a
/// number where it has no pair.
fn distance(view: &View, tokens: &[f64], replica: usize) -> f64 {
    let shape = view.equation.tokens.shape;
    if replica ^ 1 >= shape.replicas {
        return f64::NAN;
    }
    let cloud = |replica: usize| tokens[replica * shape.count * shape.dim..].chunks_exact(shape.dim);
    let pairs = cloud(replica).zip(cloud(replica ^ 1)).take(shape.sources()).enumerate();
    let square = |(token, (x, y)): (usize, (&[f64], &[f64]))| {
        let square: f64 = x.iter().zip(y).map(|(x, y)| (x - y) * (x - y)).sum();
        view.equation.tokens.weight(replica, token) * square
    };
    pairs.map(square).sum::<f64>().sqrt()
}
