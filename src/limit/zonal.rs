//! The limit of laws symmetric about an axis, in any dimension.
//!
//! With mu symmetric about e, heights t = <x, e> and s = <y, e>, nu = (d - 3) / 2 and z = kappa sqrt(1 - t^2) sqrt(1 - s^2), the mean of
//! e^{kappa <x, y>} over the y of height s is e^{kappa t s} A_nu(z), where A_nu(z) = 0F1(; nu + 1; z^2 / 4) = Gamma(nu + 1) (2 / z)^nu I_nu(z).
//! The velocity along the sphere is c(t) (e - t x) with
//!
//! ```text
//! c(t) = int e^{kappa t s} (s A_nu(z) - t kappa (1 - s^2) / (2 nu + 2) A_{nu+1}(z)) dmu(s)  /  int e^{kappa t s} A_nu(z) dmu(s)
//! ```
//!
//! (not divided where weights are unnormalized). Only the law of heights is needed of mu: its nodes are those of Gauss and
//! Legendre in the angle from the axis, moved by the same velocity.

use std::f64::consts::PI;

use rayon::prelude::*;

use super::{Limit, LimitError, Nodes, beside, on_sphere, series::Series, serves, stages::Stages};
use crate::{
    backend::{Backend, BackendError, Identity, Method, Point, Precision},
    initial::{Law, LawError, gauss_legendre, unit_axis},
    model::{Field, Head, Model, Normalization},
    observe::{Quantity, Statistics},
    problem::Problem,
};

/// Nodes of the law of heights: enough for concentrations and clusters that the fields of beta = 1000 resolve.
const NODES: usize = 256;

/// The arithmetic of a zonal limit: nodes on a meridian, and twins anywhere.
pub struct Zonal {
    model: Model,
    dim: usize,
    axis: Vec<f64>,
    /// Those of the nodes, which are the first tokens.
    weights: Vec<f64>,
    stages: Stages,
}

impl Zonal {
    /// The limit of `problem` from the law `law`, and its arithmetic.
    pub fn new(problem: &Problem, law: &Law) -> Result<(Limit, Self), LimitError> {
        serves(&problem.model)?;
        on_sphere(&problem.model)?;
        let is_multiple = |head: &Head| {
            head.query_key.multiple_of_identity().is_some() && head.value.multiple_of_identity().is_some()
        };
        let model = &problem.model;
        let is_symmetric = model.attention.heads.iter().all(is_multiple) && model.perceptron.is_none();
        if !is_symmetric || !problem.course.is_constant() || problem.scheme.field() != Field::Tangent {
            let remedy = "leave out matrices, perceptron, changing weights and scheme = \"layer\", or write kind = \"quadrature\"";
            return Err(LimitError::Unserved {
                problem: "the zonal limit is one of multiples of the identity",
                remedy,
            });
        }
        let dim = problem.tokens.shape.dim;
        let Heights { axis, nodes } = nodes(law, dim)?;
        let weights: Vec<f64> = nodes.iter().map(|(_, weight)| *weight).collect();
        let meridian = meridian(&axis);
        let place = |angle: f64| {
            let (sin, cos) = angle.sin_cos();
            axis.iter().zip(&meridian).map(move |(e, f)| cos * e + sin * f).collect::<Vec<f64>>()
        };
        let coordinates = nodes.iter().flat_map(|(angle, _)| place(*angle)).collect();
        let limit = beside(
            problem,
            Nodes::Meridian { axis: axis.clone() },
            coordinates,
            &weights,
            &problem.tokens.coordinates,
        );
        let stages = Stages::new(limit.problem.tokens.coordinates.clone(), problem.slots());
        let zonal = Self { model: model.clone(), dim, axis, weights, stages };
        Ok((limit, zonal))
    }

    /// c as a function of the height, from the nodes among `tokens`.
    fn speed(&self, tokens: &[f64]) -> Series {
        let heights: Vec<f64> =
            tokens.chunks_exact(self.dim).take(self.weights.len()).map(|x| dot(x, &self.axis)).collect();
        let attention = &self.model.attention;
        // What a head adds to c at the height `t`, and the mass that it is a mean of.
        let share = |head: &Head, t: f64| {
            let multiple = |matrix: &crate::model::Matrix| matrix.multiple_of_identity().unwrap_or(0.0);
            let beta = attention.beta_of(head);
            let kappa = beta * multiple(&head.query_key);
            let (sum, moment) = self.sums(&heights, t, kappa);
            let unit = match attention.normalization {
                Normalization::Softmax => 1.0 / sum,
                Normalization::Shifted => (kappa.abs() - beta).exp(),
                _ => kappa.abs().exp(),
            };
            let factor = head.weight * multiple(&head.value) * unit;
            (factor * moment, (factor * sum).abs())
        };
        // Where a law is uniform, c is the rounding of a mean that vanishes.
        let size = |t: f64| attention.heads.iter().map(|head| share(head, t).1).sum::<f64>();
        let size = [-1.0, 0.0, 1.0].map(size).into_iter().fold(0.0, f64::max);
        Series::of(size, |t| attention.heads.iter().map(|head| share(head, t).0).sum())
    }

    /// Denominator and numerator of c at the height `t`, both times e^{-|kappa|}.
    fn sums(&self, heights: &[f64], t: f64, kappa: f64) -> (f64, f64) {
        let nu = (self.dim as f64 - 3.0) / 2.0;
        let (mut sum, mut moment) = (0.0, 0.0);
        for (s, weight) in heights.iter().zip(&self.weights) {
            let across = (1.0 - s * s).max(0.0);
            let quarter = kappa * kappa * (1.0 - t * t).max(0.0) * across / 4.0;
            let scale = weight * (kappa * t * s - kappa.abs()).exp();
            let mean = confluent(nu + 1.0, quarter);
            sum += scale * mean;
            let bend = t * kappa * across / (2.0 * nu + 2.0) * confluent(nu + 2.0, quarter);
            moment += scale * (s * mean - bend);
        }
        (sum, moment)
    }
}

/// h(t) = sum_s w_s e^{beta (t s - 1)} A_nu(beta sqrt(1 - t^2) sqrt(1 - s^2)), the mean of e^{beta (<x, y> - 1)} over the y of a
/// measure symmetric about an axis for an x of height t, heights and weights being those of the measure.
pub(crate) fn kernel_mean(heights: &[f64], weights: &[f64], dim: usize, beta: f64) -> Series {
    let nu = (dim as f64 - 3.0) / 2.0;
    Series::of(0.0, |t| {
        let mean = |(s, weight): (&f64, &f64)| {
            let across = (1.0 - t * t).max(0.0) * (1.0 - s * s).max(0.0);
            weight * scaled_confluent(beta * (t * s - 1.0), nu + 1.0, beta * beta * across / 4.0)
        };
        heights.iter().zip(weights).map(mean).sum()
    })
}

/// Arguments of 0F1 beyond this overflow it.
const LARGEST: f64 = 1e5;

/// e^exponent 0F1(; a; q) for q >= 0 and exponent <= -2 sqrt(q): at most one.
fn scaled_confluent(exponent: f64, a: f64, q: f64) -> f64 {
    if q < LARGEST {
        return exponent.exp() * confluent(a, q);
    }
    let (mut log_term, mut sum, mut k) = (exponent, exponent.exp(), 0.0);
    loop {
        k += 1.0;
        log_term += (q / (k * (a + k - 1.0))).ln();
        let term = log_term.exp();
        sum += term;
        // Terms grow up to k (a + k - 1) = q.
        if k * (a + k - 1.0) > q && term <= 1e-17 * sum {
            return sum;
        }
    }
}

/// 0F1(; a; q) for q >= 0: a sum of positive terms.
fn confluent(a: f64, q: f64) -> f64 {
    let (mut term, mut sum, mut k) = (1.0, 1.0, 0.0);
    while term > 1e-17 * sum {
        k += 1.0;
        term *= q / (k * (a + k - 1.0));
        sum += term;
    }
    sum
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// A unit vector orthogonal to `axis`.
fn meridian(axis: &[f64]) -> Vec<f64> {
    let least = (0..axis.len()).min_by(|a, b| axis[*a].abs().total_cmp(&axis[*b].abs())).unwrap_or(0);
    let mut vector: Vec<f64> = axis.iter().map(|e| -axis[least] * e).collect();
    vector[least] += 1.0;
    let length = dot(&vector, &vector).sqrt();
    vector.iter().map(|c| c / length).collect()
}

/// A symmetric law.
struct Heights {
    axis: Vec<f64>,
    /// Angles from the axis, and their weights, of sum one.
    nodes: Vec<(f64, f64)>,
}

/// The axis of a symmetric law, and nodes of its angles from there.
fn nodes(law: &Law, dim: usize) -> Result<Heights, LawError> {
    let pole = || (0..dim).map(|k| f64::from(u8::from(k + 1 == dim))).collect::<Vec<f64>>();
    let (axis, concentration, widest) = match law {
        Law::Uniform => (pole(), 0.0, PI),
        Law::VonMisesFisher { concentration, axis } if concentration.is_finite() => {
            (unit_axis(axis, dim)?, *concentration, PI)
        }
        Law::Cap { axis, angle } => (unit_axis(axis, dim)?, 0.0, *angle),
        _ => {
            let remedy = "take uniform, cap or von-mises-fisher of finite concentration".into();
            return Err(LawError { key: "law", problem: "has no axis of symmetry".into(), remedy });
        }
    };
    let density = |angle: f64| (concentration * (angle.cos() - 1.0)).exp() * angle.sin().powi(dim as i32 - 2);
    let raw: Vec<(f64, f64)> = gauss_legendre(NODES)
        .into_iter()
        .map(|(t, weight)| {
            let angle = widest * (t + 1.0) / 2.0;
            (angle, weight * density(angle))
        })
        .collect();
    let total: f64 = raw.iter().map(|(_, weight)| weight).sum();
    Ok(Heights { axis, nodes: raw.into_iter().map(|(angle, weight)| (angle, weight / total)).collect() })
}

impl Backend for Zonal {
    fn identity(&self) -> Identity {
        Identity { backend: "zonal", adapter: String::new(), driver: String::new(), precision: Precision::Double }
    }

    fn method(&self) -> Method {
        Method::Direct
    }

    fn change(&mut self, model: &Model) -> Result<(), BackendError> {
        self.model = model.clone();
        Ok(())
    }

    fn evaluate(&mut self, point: Point, _field: Field, stage: usize) -> Result<(), BackendError> {
        let mut velocity = std::mem::take(&mut self.stages.velocities[stage]);
        let tokens = self.stages.at(point);
        let speed = self.speed(tokens);
        let axis = &self.axis;
        let rows = velocity.par_chunks_exact_mut(self.dim).zip(tokens.par_chunks_exact(self.dim));
        rows.with_min_len(256).for_each(|(v, x)| {
            let t = dot(x, axis);
            let c = speed.at(t);
            v.iter_mut().zip(x.iter().zip(axis)).for_each(|(v, (x, e))| *v = c * (e - t * x));
        });
        self.stages.velocities[stage] = velocity;
        Ok(())
    }

    fn fluctuate(&mut self, _point: Point, _step: u64, _stage: usize) -> Result<(), BackendError> {
        Err(BackendError::Unsupported { backend: "zonal", term: "noise", remedy: "leave out [noise]" })
    }

    fn combine(&mut self, coefficients: &[f64], into: Point, _field: Field) -> Result<(), BackendError> {
        self.stages.combine(coefficients, into).par_chunks_exact_mut(self.dim).with_min_len(256).for_each(|x| {
            let length = dot(x, x).sqrt();
            x.iter_mut().for_each(|x| *x /= length);
        });
        Ok(())
    }

    async fn wait(&mut self) -> Result<(), BackendError> {
        Ok(())
    }

    async fn observe(&mut self, _quantities: &[Quantity]) -> Result<Vec<Statistics>, BackendError> {
        let height = |x: &[f64]| dot(x, &self.axis);
        let mean: f64 =
            self.stages.state.chunks_exact(self.dim).zip(&self.weights).map(|(x, weight)| weight * height(x)).sum();
        Ok(vec![Statistics { mean: self.axis.iter().map(|e| mean * e).collect(), ..Statistics::default() }])
    }

    async fn tokens(&mut self) -> Result<Vec<f64>, BackendError> {
        Ok(self.stages.state.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 0F1(; 1; x^2 / 4) = I_0(x), and e^{-x} I_0(x) = (2 pi x)^{-1/2} (1 + 1 / 8x + 9 / 128x^2 + 225 / 3072x^3 + ..).
    #[test]
    fn large_arguments_neither_overflow_nor_lose_digits() {
        for x in [600.0_f64, 700.0, 2000.0, 50_000.0] {
            let found = scaled_confluent(-x, 1.0, x * x / 4.0);
            let series = 1.0 + 1.0 / (8.0 * x) + 9.0 / (128.0 * x * x) + 225.0 / (3072.0 * x.powi(3));
            let expected = series / (std::f64::consts::TAU * x).sqrt();
            assert!((found / expected - 1.0).abs() < 1e-9, "x = {x}: {found}, not {expected}");
        }
    }
}
