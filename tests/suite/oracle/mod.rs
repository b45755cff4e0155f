//! The reference that judges every backend: the equations written out literally, one scalar loop each, in f64.
//!
//! It shares no arithmetic with the library. It is slow on purpose: what it says must be plain to see.

mod attention;
mod diffusion;
mod field;
mod observe;

use tokenfield::{
    model::{Field, Geometry},
    problem::Problem,
    scheme::Scheme,
};

pub use self::{
    attention::{beta, scores, weights},
    field::{field, fluctuation},
    observe::{log_energy, mean, mean_square_overlap, overlap_min, w2_dirac},
};
use self::{
    diffusion::diffuse,
    field::{field_of, moved},
};

pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

/// The tokens at the end of the problem's schedule.
pub fn evolve(problem: &Problem) -> Vec<f64> {
    let h = problem.schedule.end / problem.schedule.steps.max(1) as f64;
    (0..problem.schedule.steps).fold(problem.tokens.coordinates.clone(), |x, step| stepped(problem, &x, step, h))
}

/// The tokens after one step from `x`: noise on the sphere moves them before it and after it.
pub fn stepped(problem: &Problem, x: &[f64], step: u64, h: f64) -> Vec<f64> {
    if problem.model.noise.is_none() || problem.model.geometry != Geometry::Sphere {
        return scheme(problem, x, step, h);
    }
    let x = diffuse(problem, x, step, 0, h);
    diffuse(problem, &scheme(problem, &x, step, h), step, 1, h)
}

/// The step of the scheme, with noise where tokens have any length.
fn scheme(problem: &Problem, x: &[f64], step: u64, h: f64) -> Vec<f64> {
    let d = problem.tokens.shape.dim;
    let model = |node: f64| problem.model_schedule.at(&problem.model, step, (step as f64 + node) * h).into_owned();
    let v = |node: f64, x: &[f64]| field_of(problem, &model(node), x, Field::Tangent);
    let to = |x: &[f64], terms: &[(f64, &[f64])]| moved(&model(0.0), d, x, terms, Field::Tangent);
    let noise = |x: &[f64]| match problem.model.noise {
        Some(_) if problem.model.geometry != Geometry::Sphere => fluctuation(problem, x, step),
        _ => vec![0.0; x.len()],
    };
    let root = h.sqrt();
    match problem.scheme {
        Scheme::Euler => to(x, &[(h, &v(0.0, x)), (root, &noise(x))]),
        Scheme::Heun => {
            let (k1, g1) = (v(0.0, x), noise(x));
            let y = to(x, &[(h, &k1), (root, &g1)]);
            to(x, &[(h / 2.0, &k1), (h / 2.0, &v(1.0, &y)), (root / 2.0, &g1), (root / 2.0, &noise(&y))])
        }
        Scheme::Rk4 => {
            let k1 = v(0.0, x);
            let k2 = v(0.5, &to(x, &[(h / 2.0, &k1)]));
            let k3 = v(0.5, &to(x, &[(h / 2.0, &k2)]));
            let k4 = v(1.0, &to(x, &[(h, &k3)]));
            to(x, &[(h / 6.0, &k1), (h / 3.0, &k2), (h / 3.0, &k3), (h / 6.0, &k4)])
        }
        Scheme::Layer => {
            let model = model(0.0);
            let x = moved(&model, d, x, &[(h, &field_of(problem, &model, x, Field::Ambient))], Field::Ambient);
            if model.perceptron.is_none() {
                return x;
            }
            moved(&model, d, &x, &[(h, &field_of(problem, &model, &x, Field::Perceptron))], Field::Perceptron)
        }
    }
}
