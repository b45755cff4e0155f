//! The limit of laws symmetric about an axis, in any dimension.
//!
//! With mu symmetric about e, heights t = <x, e> and s = <y, e>, and z = kappa sqrt(1 - t^2) sqrt(1 - s^2), the mean of e^{kappa <x, y>}
//! over the y of height s is e^{kappa t s} A(z), A(z) being the mean of e^{z y_1} over S^{d-2}. The velocity along the sphere is
//! c(t) (e - t x) with
//!
//! ```text
//! c(t) = int e^{kappa t s} A(z) (s - t kappa (1 - s^2) A'(z) / (z A(z))) dmu(s)  /  int e^{kappa t s} A(z) dmu(s)
//! ```
//!
//! (not divided where weights are unnormalized). Sums are taken relative to their largest term, so that no kappa overflows. Only
//! the law of heights is needed of mu: its nodes are those of Gauss and Legendre in the angle from the axis, moved by the same
//! velocity.

use std::f64::consts::PI;

use rayon::prelude::*;

use super::{
    Closed, Form, Limit, LimitError, Nodes, beside, mean_exponential::mean_exponential, on_sphere, series::Series,
    serves,
};
use crate::{
    backend::BackendError,
    budget::Needs,
    initial::{Law, LawError, gauss_legendre, unit_axis},
    model::{Field, Head, Matrix, Model, Normalization},
    problem::Problem,
};

/// Nodes of the law of heights: enough for concentrations and clusters that the fields of kappa = 1000 resolve. Those of larger
/// kappa are finer by kappa^{1/2}.
const NODES: f64 = 256.0;
const COARSE: f64 = 1000.0;
/// Beyond, [`Series`] has too few polynomials for a kernel of width kappa^{-1/2}.
pub(crate) const SHARPEST: f64 = 2.5e5;
/// Terms e^{-BELOW} times the largest are below rounding, however many.
const BELOW: f64 = 50.0;

/// The arithmetic of a zonal limit: nodes on a meridian, and twins anywhere.
pub struct Zonal {
    dim: usize,
    axis: Vec<f64>,
    /// Those of the nodes, which are the first tokens.
    weights: Vec<f64>,
}

impl Zonal {
    /// The limit of `problem` from the law `law`, and its arithmetic.
    pub fn new(problem: &Problem, law: &Law) -> Result<(Limit, Closed<Self>), LimitError> {
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
        let heads = &model.attention.heads;
        let sharpest = heads.iter().map(|head| kappa(model, head).abs()).fold(0.0, f64::max);
        if sharpest > SHARPEST {
            return Err(LimitError::Unserved {
                problem: "the zonal limit has nodes for kernels of kappa = attention.beta * query-key up to 2.5e5 and none sharper",
                remedy: "take a smaller attention.beta, or write kind = \"particles\"",
            });
        }
        let dim = problem.tokens.shape.dim;
        let count = (NODES * (sharpest / COARSE).sqrt().max(1.0)).ceil() as usize;
        let mut needs = Needs::default();
        let each = 8 * (4 + problem.slots() as u128);
        needs.add("the nodes of the limit", each, &[("attention.beta", count as u128), ("tokens.dim", dim as u128)]);
        needs.require().map_err(BackendError::from)?;
        let Heights { axis, nodes } = nodes(law, dim, count)?;
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
        let coordinates = limit.problem.tokens.coordinates.clone();
        let zonal = Closed::new(Self { dim, axis, weights }, model, coordinates, problem.slots());
        Ok((limit, zonal))
    }

    /// c as a function of the height, from the nodes among `tokens`.
    fn speed(&self, model: &Model, tokens: &[f64]) -> Series {
        let heights: Vec<f64> =
            tokens.chunks_exact(self.dim).take(self.weights.len()).map(|x| dot(x, &self.axis)).collect();
        let attention = &model.attention;
        // What a head adds to c at the height `t`, and the mass that it is a mean of.
        let share = |head: &Head, t: f64| {
            let (sum, moment, logarithm) = self.sums(&heights, t, kappa(model, head));
            let unit = match attention.normalization {
                Normalization::Softmax => 1.0 / sum,
                Normalization::Shifted => (logarithm - attention.beta_of(head)).exp(),
                _ => logarithm.exp(),
            };
            let factor = head.weight * multiple(&head.value) * unit;
            (factor * moment, (factor * sum).abs())
        };
        // Where a law is uniform, c is the rounding of a mean that vanishes.
        let size = |t: f64| attention.heads.iter().map(|head| share(head, t).1).sum::<f64>();
        let size = [-1.0, 0.0, 1.0].map(size).into_iter().fold(0.0, f64::max);
        Series::of(size, |t| attention.heads.iter().map(|head| share(head, t).0).sum())
    }

    /// Denominator and numerator of c at the height `t`, and the logarithm of what both are to be multiplied by.
    fn sums(&self, heights: &[f64], t: f64, kappa: f64) -> (f64, f64, f64) {
        let wide = (1.0 - t * t).max(0.0);
        let nodes = heights.iter().zip(&self.weights).map(|(s, weight)| {
            let across = (1.0 - s * s).max(0.0);
            Node { s: *s, across, z: kappa.abs() * (wide * across).sqrt(), scale: weight.ln() + kappa * t * s }
        });
        let nodes: Vec<Node> = nodes.collect();
        let term = |node: &Node| {
            let mean = mean_exponential(self.dim - 1, node.z);
            (node.scale + mean.logarithm, node.s - t * kappa * node.across * mean.slope)
        };
        // A(z) <= e^z says which terms may count beside that of the largest bound.
        let bound = |node: &&Node| node.scale + node.z;
        let Some(first) = nodes.iter().max_by(|a, b| bound(a).total_cmp(&bound(b))) else { return (0.0, 0.0, 0.0) };
        let least = term(first).0 - BELOW;
        let terms: Vec<(f64, f64)> = nodes.iter().filter(|node| bound(node) >= least).map(term).collect();
        let largest = terms.iter().map(|(logarithm, _)| *logarithm).fold(f64::NEG_INFINITY, f64::max);
        let (mut sum, mut moment) = (0.0, 0.0);
        for (logarithm, height) in terms {
            let share = (logarithm - largest).exp();
            sum += share;
            moment += share * height;
        }
        (sum, moment, largest)
    }
}

/// Where a node is, as one height sees it.
struct Node {
    s: f64,
    /// 1 - s^2.
    across: f64,
    z: f64,
    /// ln w_s + kappa t s.
    scale: f64,
}

fn multiple(matrix: &Matrix) -> f64 {
    matrix.multiple_of_identity().unwrap_or(0.0)
}

fn kappa(model: &Model, head: &Head) -> f64 {
    model.attention.beta_of(head) * multiple(&head.query_key)
}

/// h(t) = sum_s w_s e^{beta (t s - 1)} A(beta sqrt(1 - t^2) sqrt(1 - s^2)), the mean of e^{beta (<x, y> - 1)} over the y of a
/// measure symmetric about an axis for an x of height t, heights and weights being those of the measure.
pub(crate) fn kernel_mean(heights: &[f64], weights: &[f64], dim: usize, beta: f64) -> Series {
    Series::of(0.0, |t| {
        let mean = |(s, weight): (&f64, &f64)| {
            let across = (1.0 - t * t).max(0.0) * (1.0 - s * s).max(0.0);
            let logarithm = mean_exponential(dim - 1, beta * across.sqrt()).logarithm;
            weight * (beta * (t * s - 1.0) + logarithm).exp()
        };
        heights.iter().zip(weights).map(mean).sum()
    })
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

/// The axis of a symmetric law, and `count` nodes of its angles from there.
fn nodes(law: &Law, dim: usize, count: usize) -> Result<Heights, LawError> {
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
    let raw: Vec<(f64, f64)> = gauss_legendre(count)
        .into_iter()
        .map(|(t, weight)| {
            let angle = widest * (t + 1.0) / 2.0;
            (angle, weight * density(angle))
        })
        .collect();
    let total: f64 = raw.iter().map(|(_, weight)| weight).sum();
    Ok(Heights { axis, nodes: raw.into_iter().map(|(angle, weight)| (angle, weight / total)).collect() })
}

impl Form for Zonal {
    const NAME: &'static str = "zonal";

    fn evaluate(&self, model: &Model, state: &[f64], velocity: &mut [f64]) {
        let speed = self.speed(model, state);
        let rows = velocity.par_chunks_exact_mut(self.dim).zip(state.par_chunks_exact(self.dim));
        rows.with_min_len(256).for_each(|(v, x)| {
            let t = dot(x, &self.axis);
            let c = speed.at(t);
            v.iter_mut().zip(x.iter().zip(&self.axis)).for_each(|(v, (x, e))| *v = c * (e - t * x));
        });
    }

    fn retract(&self, state: &mut [f64]) {
        state.par_chunks_exact_mut(self.dim).with_min_len(256).for_each(|x| {
            let length = dot(x, x).sqrt();
            x.iter_mut().for_each(|x| *x /= length);
        });
    }

    fn mean(&self, state: &[f64]) -> Vec<f64> {
        let heights = state.chunks_exact(self.dim).map(|x| dot(x, &self.axis));
        let mean: f64 = heights.zip(&self.weights).map(|(height, weight)| weight * height).sum();
        self.axis.iter().map(|e| mean * e).collect()
    }
}

#[cfg(test)]
mod tests;
