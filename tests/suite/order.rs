//! Every scheme converges at the order its tableau promises: the fitted slope of log-error against log-step.

use libtest_mimic::Trial;
use tokenfield::{
    problem::{Problem, Schedule},
    scheme::Scheme,
};

use crate::{
    backends::Kind,
    clouds::{cloud, distance, general_head, problem},
};

pub fn all() -> Vec<Trial> {
    let trial = |kind: Kind| {
        Trial::test(format!("{}::every_scheme_has_its_order", kind.name()), move || {
            every_scheme_has_its_order(kind);
            Ok(())
        })
    };
    [Kind::CpuDouble, Kind::Reference].map(trial).into()
}

fn evolve(kind: Kind, scheme: Scheme, steps: u64) -> Vec<f64> {
    let mut problem = problem(cloud(1, 40, 3, 51), 2.0);
    problem.model.attention.heads = vec![general_head(3, 8)];
    let schedule = Schedule::even(steps, 2.0, steps);
    kind.evolve(&Problem { scheme, schedule, ..problem }).tokens
}

/// The least-squares slope of ln(error) against ln(step).
pub fn slope(steps: &[u64], errors: &[f64]) -> f64 {
    let x: Vec<f64> = steps.iter().map(|steps| -(*steps as f64).ln()).collect();
    let y: Vec<f64> = errors.iter().map(|error| error.ln()).collect();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (x_mean, y_mean) = (mean(&x), mean(&y));
    let covariance: f64 = x.iter().zip(&y).map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    covariance / x.iter().map(|x| (x - x_mean).powi(2)).sum::<f64>()
}

fn every_scheme_has_its_order(kind: Kind) {
    let exact = evolve(kind, Scheme::Rk4, 4096);
    for scheme in [Scheme::Euler, Scheme::Heun, Scheme::BogackiShampine, Scheme::Rk4, Scheme::Layer] {
        let steps = [32, 64, 128, 256];
        let errors = steps.map(|steps| distance(&evolve(kind, scheme, steps), &exact));
        let (slope, order) = (slope(&steps, &errors), f64::from(scheme.tableau().order));
        assert!((slope - order).abs() < 0.15, "{scheme:?}: slope {slope}, promised {order}, errors {errors:?}");
    }
}
