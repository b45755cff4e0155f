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
//! the law of heights is needed of mu: its nodes are those of Gauss and Legendre in the angle from the axis, for each law of a mixture,
//! moved by the same velocity.

mod nodes;

use std::{f64::consts::TAU, ops::Range};

use rayon::prelude::*;

use self::nodes::{Heights, meridian, nodes};
use super::{
    Limit, LimitError, MODES, Motion, Nodes, degree, is_isotropic, on_sphere, pieces, problem_of_nodes, serves,
    solver::{Flow, largest},
};
use crate::{
    backend::BackendError,
    budget::Needs,
    initial::{Law, circle_quantiles},
    model::{Field, Head, Matrix, Model, Normalization},
    observables::{Quantity, amplitudes},
    problem::{Problem, ReferenceSteps as Steps},
    transport::{
        series::Series,
        zonal::{SHARPEST, kernel_mean, sums},
    },
    vector::dot,
};

/// Nodes of the law of heights: enough for concentrations and clusters that the fields of kappa = 1000 resolve. Those of larger
/// kappa are finer by kappa^{1/2}.
const NODES: f64 = 256.0;
const COARSE: f64 = 1000.0;
/// Nodes at most.
const MOST: usize = 16_384;
/// How far measures may be apart, as maximum mean discrepancies, that stand for the same.
const SAME: f64 = 1e-7;

/// The arithmetic of a zonal limit. Where x is, its height t over the axis says: x = t e + (1 - t^2)^{1/2} u with u as at time zero.
///
/// What is solved is q = ln tan(theta / 2), t = cos theta = -tanh q, of every node and coupled token: dq/dt = -c(t). A cluster at a pole, where
/// theta shrinks exponentially, is no stiff equation then.
pub(super) struct Zonal {
    model: Model,
    dim: usize,
    axis: Vec<f64>,
    /// Those of the nodes, which are the first tokens.
    weights: Vec<f64>,
    /// u of every token; zero on the axis.
    sides: Vec<f64>,
    /// The tokens whose quantiles are known, and where each is for an angle to the axis.
    quantiles: Range<usize>,
    turns: Vec<Turn>,
}

/// An angle counted from the axis as that between -pi and pi, and full turns. A token never crosses the axis.
struct Turn {
    full: f64,
    /// On which side of the axis it is: -1 or 1.
    sign: f64,
}

impl Turn {
    fn of(angle: f64) -> Self {
        let full = TAU * (angle / TAU).round();
        Self { full, sign: if angle < full { -1.0 } else { 1.0 } }
    }
}

/// The angle of an axis on the circle.
fn direction(axis: &[f64]) -> f64 {
    axis[1].atan2(axis[0])
}

/// The same with the tokens themselves as the state, as their scheme moves them.
struct Cartesian(Zonal);

/// The limit of `problem` from the law `law`, with steps of its own or those of the tokens, and nodes that resolve the field and
/// the kernels of the distances that are asked for.
pub fn zonal(problem: &Problem, law: &Law, steps: Steps) -> Result<Limit, LimitError> {
    serves(&problem.model)?;
    on_sphere(&problem.model)?;
    if !keeps_laws_zonal(problem) {
        let remedy =
            "leave out matrices, perceptron, changing weights and scheme = \"layer\", or write kind = \"quadrature\"";
        return Err(LimitError::Unserved { problem: "the zonal limit is one of multiples of the identity", remedy });
    }
    let sharpest = sharpest(&problem.model);
    if sharpest > SHARPEST {
        return Err(LimitError::Unserved {
            problem: "the zonal limit has nodes for kernels of kappa = attention.beta * query-key up to 2.5e5 and none sharper",
            remedy: "take a smaller attention.beta, or write kind = \"particles\"",
        });
    }
    // On the circle quantiles serve every kernel.
    let kernels = if problem.tokens.shape.dim == 2 { Vec::new() } else { kernels(problem) };
    if kernels.iter().any(|beta| *beta > SHARPEST) {
        return Err(LimitError::Unserved {
            problem: "the zonal limit has nodes for observe.kernel-beta up to 2.5e5 and none sharper",
            remedy: "take a smaller observe.kernel-beta, or leave \"mmd_reference\" out",
        });
    }
    let fineness = |kappa: f64| (NODES * (kappa / COARSE).sqrt().max(1.0)).ceil() as usize;
    // A wave of this degree is not seen by fewer.
    let degree = degree(problem);
    let mut count = fineness(sharpest).max(degree);
    loop {
        let limit = of_nodes(problem, law, steps, count, &problem.tokens.coordinates)?;
        let is_fine = kernels.is_empty() && degree == 0;
        if is_fine || are_resolved(problem, law, steps, count, &kernels, degree)? {
            return Ok(limit);
        }
        count *= 2;
        if count > MOST && kernels.is_empty() {
            return Err(LimitError::UnresolvedModes { degree, fineness: count / 2 });
        }
        if count > MOST {
            return Err(LimitError::Unserved {
                problem: "the zonal limit has too few nodes for observe.kernel-beta where the flow has drawn them apart",
                remedy: "take a smaller observe.kernel-beta or an earlier time.end, or leave \"mmd_reference\" out",
            });
        }
    }
}

/// Whether a problem that has a limit on the sphere keeps laws symmetric about an axis. Tokens are passive beside it, whatever they
/// weigh.
fn keeps_laws_zonal(problem: &Problem) -> bool {
    let Problem { tokens: _, model, model_schedule, scheme, schedule: _, quantities: _, algorithm: _, tolerance: _ } =
        problem;
    is_isotropic(model) && model_schedule.is_constant() && scheme.field() == Field::Tangent
}

/// The inverse temperatures of the kernels of maximum mean discrepancies.
fn kernels(problem: &Problem) -> Vec<f64> {
    let beta = |quantity: &Quantity| quantity.resolution(problem.tokens.shape.sources()).kernel_beta;
    problem.quantities.iter().filter_map(beta).collect()
}

/// Where nodes have come to: heights, their weights, and the modes that are asked for.
#[derive(Default)]
struct End {
    heights: Vec<f64>,
    weights: Vec<f64>,
    modes: Vec<f64>,
}

/// Whether `count` nodes and twice as many, brought to the end, differ as measures by less than [`SAME`] under every kernel, and in no mode up to
/// `degree`.
fn are_resolved(
    problem: &Problem,
    law: &Law,
    steps: Steps,
    count: usize,
    kernels: &[f64],
    degree: usize,
) -> Result<bool, LimitError> {
    let end = |count: usize| -> Result<End, LimitError> {
        let mut limit = of_nodes(problem, law, steps, count, &[])?;
        limit.advance(0, problem.schedule.steps)?;
        let Nodes::Meridian { axis } = &limit.nodes else { return Ok(End::default()) };
        let (points, weights) = (limit.tokens(), limit.weights().to_vec());
        let modes = if degree > 0 { amplitudes(&limit.state(&points), degree) } else { Vec::new() };
        let heights = points.chunks_exact(axis.len()).take(weights.len()).map(|x| dot(x, axis)).collect();
        Ok(End { heights, weights, modes })
    };
    let dim = problem.tokens.shape.dim;
    let (coarse, fine) = (end(count)?, end(2 * count)?);
    if coarse.modes.iter().zip(&fine.modes).any(|(a, b)| (a - b).abs() > MODES) {
        return Ok(false);
    }
    let square = |beta: &f64| {
        let mean_under = |law: &End| kernel_mean(&law.heights, &law.weights, dim, *beta);
        let (of_coarse, of_fine) = (mean_under(&coarse), mean_under(&fine));
        let difference = |t: &f64| of_coarse.at(*t) - of_fine.at(*t);
        let mean = |law: &End| -> f64 {
            law.heights.iter().zip(&law.weights).map(|(t, weight)| weight * difference(t)).sum()
        };
        mean(&coarse) - mean(&fine)
    };
    Ok(kernels.iter().all(|beta| square(beta).abs() <= SAME * SAME))
}

/// The limit with `count` nodes and coupled tokens that start at `coupled`.
fn of_nodes(problem: &Problem, law: &Law, steps: Steps, count: usize, coupled: &[f64]) -> Result<Limit, LimitError> {
    let dim = problem.tokens.shape.dim;
    let Heights { axis, nodes } = nodes(law, dim, count, sharpest(&problem.model))?;
    let count = nodes.len();
    let mut needs = Needs::default();
    let each = 8 * (4 + problem.slots() as u128);
    needs.add("the nodes of the limit", each, &[("attention.beta", count as u128), ("tokens.dim", dim as u128)]);
    needs.require().map_err(BackendError::from)?;
    let weights: Vec<f64> = nodes.iter().map(|(_, weight)| *weight).collect();
    let meridian = meridian(&axis);
    let place = |angle: f64| {
        let (sin, cos) = angle.sin_cos();
        axis.iter().zip(&meridian).map(move |(e, f)| cos * e + sin * f).collect::<Vec<f64>>()
    };
    let coordinates: Vec<f64> = nodes.iter().flat_map(|(angle, _)| place(*angle)).collect();
    let curve = if dim == 2 { Some(circle_quantiles(law, pieces(problem))?) } else { None };
    let tracers: Vec<f64> = curve.iter().flat_map(|curve| &curve.angles).flat_map(|a| [a.cos(), a.sin()]).collect();
    let limit = problem_of_nodes(problem, &coordinates, &weights, &[tracers.as_slice(), coupled].concat());
    let quantiles = count..count + tracers.len() / dim;
    let turns = curve.iter().flat_map(|curve| &curve.angles).map(|angle| Turn::of(*angle - direction(&axis)));
    let turns = turns.collect();
    let tokens = &limit.tokens.coordinates;
    let sides = tokens.chunks_exact(dim).flat_map(|x| side(x, &axis)).collect();
    let flow = Zonal { model: problem.model.clone(), dim, axis: axis.clone(), weights, sides, quantiles, turns };
    let motion = match steps {
        Steps::Own => {
            let state = tokens.chunks_exact(dim).map(|x| flow.logarithm(x)).collect();
            Motion::own(flow, state)
        }
        Steps::Tokens => Motion::of(Cartesian(flow), tokens.clone(), steps),
    };
    Ok(Limit::new(limit, Nodes::Meridian { axis }, motion).with_masses(curve))
}

/// The unit vector along the part of x that is orthogonal to the axis; zero on the axis.
fn side(x: &[f64], axis: &[f64]) -> Vec<f64> {
    let height = dot(x, axis);
    let across: Vec<f64> = x.iter().zip(axis).map(|(x, e)| x - height * e).collect();
    let length = dot(&across, &across).sqrt();
    if length == 0.0 { across } else { across.iter().map(|c| c / length).collect() }
}

impl Zonal {
    /// q of the token x.
    fn logarithm(&self, x: &[f64]) -> f64 {
        let height = dot(x, &self.axis);
        let across = x.iter().zip(&self.axis).map(|(x, e)| (x - height * e).powi(2)).sum::<f64>().sqrt();
        if height > 0.0 { (across / (1.0 + height)).ln() } else { -(across / (1.0 - height)).ln() }
    }

    /// c as a function of the height, from those of the nodes.
    fn speed(&self, heights: &[f64]) -> Series {
        let model = &self.model;
        let attention = &model.attention;
        // What a head adds to c at the height `t`, and the mass that it is a mean of.
        let share = |head: &Head, t: f64| {
            let (sum, moment, logarithm) = sums(heights, &self.weights, self.dim, kappa(model, head), t);
            let unit = match attention.normalization {
                Normalization::Softmax => 1.0 / sum,
                Normalization::Shifted => (logarithm - attention.beta_of(head)).exp(),
                Normalization::Unnormalized
                | Normalization::Hardmax
                | Normalization::Sinkhorn { .. }
                | Normalization::Relu
                | Normalization::Sigmoid => logarithm.exp(),
            };
            let factor = head.weight * multiple(&head.value) * unit;
            (factor * moment, (factor * sum).abs())
        };
        // Where a law is uniform, c is the rounding of a mean that vanishes.
        let size = |t: f64| attention.heads.iter().map(|head| share(head, t).1).sum::<f64>();
        let size = [-1.0, 0.0, 1.0].map(size).into_iter().fold(0.0, f64::max);
        Series::of(size, |t| attention.heads.iter().map(|head| share(head, t).0).sum())
    }
}

/// The largest |kappa|.
fn sharpest(model: &Model) -> f64 {
    model.attention.heads.iter().map(|head| kappa(model, head).abs()).fold(0.0, f64::max)
}

fn multiple(matrix: &Matrix) -> f64 {
    matrix.multiple_of_identity().unwrap_or(0.0)
}

fn kappa(model: &Model, head: &Head) -> f64 {
    model.attention.beta_of(head) * multiple(&head.query_key)
}

impl Flow for Zonal {
    fn velocity(&mut self, _time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
        let heights: Vec<f64> = state[..self.weights.len()].iter().map(|q| -q.tanh()).collect();
        let speed = self.speed(&heights);
        let rows = velocity.par_iter_mut().zip(state).with_min_len(256);
        rows.for_each(|(v, q)| *v = -speed.at(-q.tanh()));
        Ok(())
    }

    /// That of the angle: d theta = sin theta dq.
    fn size(&self, state: &[f64], error: &[f64]) -> f64 {
        state.iter().zip(error).map(|(q, e)| e.abs() / q.cosh()).fold(0.0, largest)
    }

    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        let mut tokens = self.sides.clone();
        let rows = tokens.par_chunks_exact_mut(self.dim).zip(state).with_min_len(256);
        rows.for_each(|(x, q)| {
            let (height, across) = (-q.tanh(), 1.0 / q.cosh());
            x.iter_mut().zip(&self.axis).for_each(|(x, e)| *x = height * e + across * *x);
        });
        tokens
    }

    fn angles(&self, state: &[f64]) -> Vec<f64> {
        self.lifted(|index| 2.0 * state[index].exp().atan())
    }
}

impl Zonal {
    /// The angles on the circle of the tokens whose quantiles are known, from their angles to the axis.
    fn lifted(&self, from_axis: impl Fn(usize) -> f64) -> Vec<f64> {
        let axis = direction(&self.axis);
        let lifted = |(index, turn): (usize, &Turn)| axis + turn.full + turn.sign * from_axis(index);
        self.quantiles.clone().zip(&self.turns).map(lifted).collect()
    }
}

impl Flow for Cartesian {
    fn velocity(&mut self, _time: f64, state: &[f64], velocity: &mut [f64]) -> Result<(), BackendError> {
        let Self(Zonal { dim, axis, weights, .. }) = &*self;
        let heights: Vec<f64> = state.chunks_exact(*dim).take(weights.len()).map(|x| dot(x, axis)).collect();
        let speed = self.0.speed(&heights);
        let rows = velocity.par_chunks_exact_mut(*dim).zip(state.par_chunks_exact(*dim));
        rows.with_min_len(256).for_each(|(v, x)| {
            let t = dot(x, axis);
            let c = speed.at(t);
            v.iter_mut().zip(x.iter().zip(axis)).for_each(|(v, (x, e))| *v = c * (e - t * x));
        });
        Ok(())
    }

    fn retract(&self, state: &mut [f64]) {
        state.par_chunks_exact_mut(self.0.dim).with_min_len(256).for_each(|x| {
            let length = dot(x, x).sqrt();
            x.iter_mut().for_each(|x| *x /= length);
        });
    }

    fn tokens(&self, state: &[f64]) -> Vec<f64> {
        state.to_vec()
    }

    fn angles(&self, state: &[f64]) -> Vec<f64> {
        let Self(zonal) = self;
        zonal.lifted(|index| {
            let x = &state[index * zonal.dim..][..zonal.dim];
            let height = dot(x, &zonal.axis);
            let across = x.iter().zip(&zonal.axis).map(|(x, e)| (x - height * e).powi(2)).sum::<f64>().sqrt();
            across.atan2(height)
        })
    }
}

#[cfg(test)]
mod tests;
