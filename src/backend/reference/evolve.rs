//! The schemes, written out stage by stage: nothing here is read off a tableau.

use super::{
    diffusion::{diffuse, parts},
    field::{field, held, moved},
    noise::fluctuation,
};
use crate::{
    model::{Field, Geometry, Model},
    problem::Problem,
    scheme::Scheme,
    tokens::Tokens,
};

/// The tokens at the end of the schedule of `problem`, by steps that no backend takes, of the lengths of the schedule.
pub fn evolve(problem: &Problem) -> Vec<f64> {
    let even = problem.schedule.end / problem.schedule.steps.max(1) as f64;
    let (mut tokens, mut start) = (problem.tokens.clone(), 0.0);
    for step in 0..problem.schedule.steps {
        let h = problem.schedule.uneven.as_ref().map_or(even, |uneven| uneven.lengths()[step as usize]);
        tokens.coordinates = Step { problem, step, start, h }.of(&tokens);
        start = if problem.schedule.uneven.is_some() { start + h } else { (step + 1) as f64 * h };
    }
    tokens.coordinates
}

/// One step, of length `h`, from the time `start` on, after `step` others.
struct Step<'a> {
    problem: &'a Problem,
    step: u64,
    start: f64,
    h: f64,
}

impl Step<'_> {
    /// The tokens after it: noise on the sphere moves them before the scheme and after it.
    fn of(&self, tokens: &Tokens) -> Vec<f64> {
        let model = &self.problem.model;
        let noise = model.noise.as_ref().filter(|_| model.geometry == Geometry::Sphere);
        let diffusion = noise.and_then(|noise| Some((noise, parts(noise, tokens.shape.dim, self.h)?)));
        let Some((noise, parts)) = diffusion else { return self.of_scheme(tokens) };
        let half = |x: Vec<f64>, half: u64| {
            let moved = diffuse(&at(tokens, x.clone()), noise, parts, (2 * self.step + half) * parts.count);
            held(tokens.shape, model.frozen, &x, moved)
        };
        let x = half(tokens.coordinates.clone(), 0);
        half(self.of_scheme(&at(tokens, x)), 1)
    }

    /// The equation at the fraction `node` of the step.
    fn model(&self, node: f64) -> Model {
        let time = self.start + node * self.h;
        self.problem.model_schedule.at(&self.problem.model, self.step, time).into_owned()
    }

    /// The step of the scheme, with noise where tokens have any length.
    fn of_scheme(&self, tokens: &Tokens) -> Vec<f64> {
        let (h, root, x, shape) = (self.h, self.h.sqrt(), &tokens.coordinates[..], tokens.shape);
        let v = |node: f64, x: &[f64]| field(&at(tokens, x.to_vec()), &self.model(node), Field::Tangent);
        let to = |terms: &[(f64, &[f64])]| moved(&self.model(0.0), shape, x, terms, Field::Tangent);
        let noise = |x: &[f64]| match &self.problem.model.noise {
            Some(noise) if self.problem.model.geometry != Geometry::Sphere => {
                fluctuation(&at(tokens, x.to_vec()), noise, self.step)
            }
            _ => vec![0.0; x.len()],
        };
        match self.problem.scheme {
            Scheme::Euler => to(&[(h, &v(0.0, x)), (root, &noise(x))]),
            Scheme::Heun => {
                let (k1, g1) = (v(0.0, x), noise(x));
                let y = to(&[(h, &k1), (root, &g1)]);
                to(&[(h / 2.0, &k1), (h / 2.0, &v(1.0, &y)), (root / 2.0, &g1), (root / 2.0, &noise(&y))])
            }
            Scheme::BogackiShampine => {
                let k1 = v(0.0, x);
                let k2 = v(0.5, &to(&[(h / 2.0, &k1)]));
                let k3 = v(0.75, &to(&[(0.75 * h, &k2)]));
                to(&[(h * 2.0 / 9.0, &k1), (h / 3.0, &k2), (h * 4.0 / 9.0, &k3)])
            }
            Scheme::Rk4 => {
                let k1 = v(0.0, x);
                let k2 = v(0.5, &to(&[(h / 2.0, &k1)]));
                let k3 = v(0.5, &to(&[(h / 2.0, &k2)]));
                let k4 = v(1.0, &to(&[(h, &k3)]));
                to(&[(h / 6.0, &k1), (h / 3.0, &k2), (h / 3.0, &k3), (h / 6.0, &k4)])
            }
            Scheme::Layer => {
                let model = self.model(0.0);
                let after = |tokens: &Tokens, which: Field| {
                    moved(&model, shape, &tokens.coordinates, &[(h, &field(tokens, &model, which))], which)
                };
                let x = after(tokens, Field::Ambient);
                if model.perceptron.is_none() { x } else { after(&at(tokens, x), Field::Perceptron) }
            }
        }
    }
}

/// The same tokens elsewhere.
fn at(tokens: &Tokens, coordinates: Vec<f64>) -> Tokens {
    Tokens { coordinates, shape: tokens.shape, weights: tokens.weights.clone() }
}
