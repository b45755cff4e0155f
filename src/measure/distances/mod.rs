//! How far the empirical measure of a replica is from the limit at the same time, or from that of another replica.
//!
//! At time zero this is the error of sampling; what it grows to is that and the dynamics together. How a limit is seen is said in
//! `limit`.

use rayon::prelude::*;

mod limit;

pub use self::limit::Limit;
use super::View;
use crate::{
    observe::{Quantity, Statistics, columns},
    problem::Problem,
    transport::{Masses, Measure, Order, TransportError, assignment, circle, kernel, sinkhorn, sliced::Sliced},
};

/// Keys the directions of projections: the same for every replica, time and run.
const SEED: u64 = 0;
/// Bytes of the costs of assignments that are solved at once, unless one is more.
const COSTS: usize = 2 << 30;
/// Errors of what stands for the limit, relative to a distance from it, that nobody needs to hear of.
const RESOLVED: f64 = 0.01;
/// When a Sinkhorn divergence is known, and when it is given up.
const MARGINAL: f64 = 1e-6;
const ITERATIONS: u32 = 20_000;

/// A measure that owns its points.
pub(crate) struct Law {
    points: Vec<f64>,
    /// Empty for equal ones.
    weights: Vec<f64>,
    dim: usize,
}

impl Law {
    /// Points that `is_unit` says are on the sphere are put back on it: single precision leaves them 1e-7 off.
    fn new(mut points: Vec<f64>, weights: Vec<f64>, dim: usize, is_unit: bool) -> Self {
        if is_unit {
            for x in points.chunks_exact_mut(dim) {
                let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
                x.iter_mut().for_each(|x| *x /= length);
            }
        }
        Self { points, weights, dim }
    }

    /// The sources of one replica.
    fn of(view: &View, replica: usize) -> Self {
        let (tokens, shape) = (&view.problem.tokens, view.problem.tokens.shape);
        let weights = match &tokens.weights {
            crate::tokens::Weights::Each(_) => (0..shape.sources()).map(|j| tokens.weight(replica, j)).collect(),
            crate::tokens::Weights::Equal => Vec::new(),
        };
        let points = view.replica(replica)[..shape.sources() * shape.dim].to_vec();
        Self::new(points, weights, shape.dim, view.model.geometry.is_unit())
    }

    fn measure(&self) -> Result<Measure<'_>, TransportError> {
        let masses = if self.weights.is_empty() { Masses::Equal } else { Masses::Each(&self.weights) };
        Measure::new(&self.points, self.dim, masses)
    }
}

/// `distance` of the tokens of a replica from the limit; not a number without a limit.
fn from_limit(
    view: &View,
    replica: usize,
    distance: impl Fn(&Measure, &Measure) -> Result<f64, TransportError>,
) -> Result<f64, TransportError> {
    let Some(limit) = view.limit else { return Ok(f64::NAN) };
    distance(&Law::of(view, replica).measure()?, &limit.law()?.measure()?)
}

/// W_p: geodesic between unit vectors of the plane, else chordal by assignment.
fn exact(problem: &Problem, order: Order, a: &Measure, b: &Measure) -> Result<f64, TransportError> {
    if problem.tokens.shape.dim == 2 && problem.model.geometry.is_unit() {
        circle::wasserstein(order, a, b)
    } else {
        assignment::wasserstein(order, a, b)
    }
}

pub fn wasserstein(view: &View, replica: usize, order: Order) -> Result<f64, TransportError> {
    if let Some(curve) = view.limit.and_then(|limit| limit.curve.as_ref()) {
        return curve.wasserstein(order, &Law::of(view, replica).measure()?);
    }
    from_limit(view, replica, |a, b| exact(view.problem, order, a, b))
}

/// Adds sliced distances from the limit, those of all replicas at once, where they have not been measured.
pub fn slice(view: &View, statistics: &mut [Statistics]) -> Result<(), TransportError> {
    let Some(limit) = view.limit else { return Ok(()) };
    for quantity in &view.problem.quantities {
        let Quantity::SlicedW2Reference { projections } = *quantity else { continue };
        if !statistics.iter().any(|statistics| statistics.lacks(*quantity)) {
            continue;
        }
        let (slices, error) = limit.slices(projections)?;
        let replicas: Vec<Law> = (0..statistics.len()).map(|replica| Law::of(view, replica)).collect();
        let measures = replicas.iter().map(Law::measure).collect::<Result<Vec<Measure>, _>>()?;
        let costs = slices.costs(Order::Two, &measures)?;
        root(*quantity, (&costs, error), statistics);
    }
    Ok(())
}

/// Adds the distances, and their errors, that costs W_2^2, ordered (replica, direction), make, where what stands for the law is
/// `error` from it.
pub(crate) fn root(quantity: Quantity, (costs, error): (&[f64], f64), statistics: &mut [Statistics]) {
    let directions = costs.len() / statistics.len();
    for (replica, costs) in statistics.iter_mut().zip(costs.chunks_exact(directions)) {
        let Sliced { distance, standard_error } = Sliced::of(Order::Two, costs);
        replica.measured.push((quantity, vec![distance, standard_error.hypot(error)]));
    }
}

pub fn sinkhorn(view: &View, replica: usize, epsilon: f64) -> Result<f64, TransportError> {
    let settings = sinkhorn::Sinkhorn { epsilon, tolerance: MARGINAL, iterations: ITERATIONS };
    from_limit(view, replica, |a, b| Ok(sinkhorn::divergence(a, b, settings)?.value))
}

pub fn mmd(view: &View, replica: usize, beta: f64) -> Result<f64, TransportError> {
    let Some((limit, embedding)) = view.limit.and_then(|limit| Some((limit, limit.embedding.as_ref()?))) else {
        return Ok(f64::NAN);
    };
    let law = Law::of(view, replica);
    let tokens = law.measure()?;
    let own = kernel::mean(&tokens, &tokens, beta)?;
    Ok(kernel::discrepancy(own, embedding.square, limit.product(&tokens, beta)?))
}

/// A column of a sample that what stands for the limit is too far from the law for.
#[derive(Clone, Debug, PartialEq)]
pub struct Unresolved {
    pub column: String,
    pub value: f64,
    /// More than a hundredth of the number; none where a sample stands for the limit.
    pub error: Option<f64>,
}

/// The first such column among `values`, which are those of a sample.
pub fn unresolved(view: &View, values: &[f64]) -> Option<Unresolved> {
    let limit = view.limit?;
    let dim = view.problem.tokens.shape.dim;
    let mut place = 0;
    for quantity in &view.problem.quantities {
        let names = columns(&[*quantity], dim);
        let (start, value) = (place, values.get(place).copied().unwrap_or(f64::NAN));
        place += names.len();
        if !is_distance_of_laws(*quantity) {
            continue;
        }
        let error = if limit.limit.is_sampled() { None } else { Some(limit.error(*quantity)) };
        if error.is_none_or(|error| error > RESOLVED * value) && start < place {
            return Some(Unresolved { column: names[0].clone(), value, error });
        }
    }
    None
}

/// Whether a quantity compares measures, and not tokens one by one or their means.
fn is_distance_of_laws(quantity: Quantity) -> bool {
    matches!(
        quantity,
        Quantity::W1Reference
            | Quantity::W2Reference
            | Quantity::SlicedW2Reference { .. }
            | Quantity::SinkhornReference { .. }
            | Quantity::MmdReference { .. }
    )
}

/// W_1 of the tokens of replicas 2k and 2k + 1, one number for both; empty unless [`Quantity::W1Copies`] is asked for. A replica
/// left over has no other: not a number.
pub fn copies(problem: &Problem, tokens: &[f64]) -> Result<Vec<f64>, TransportError> {
    if !problem.quantities.contains(&Quantity::W1Copies) {
        return Ok(Vec::new());
    }
    let replicas = problem.tokens.shape.replicas;
    let measure = |replica| Measure::later(&problem.tokens, tokens, replica);
    let pair = |k: usize| match 2 * k + 1 {
        other if other < replicas => exact(problem, Order::One, &measure(2 * k)?, &measure(other)?),
        _ => Ok(f64::NAN),
    };
    let pairs: Vec<usize> = (0..replicas.div_ceil(2)).collect();
    let at_once = (COSTS / (8 * problem.tokens.shape.sources().pow(2))).max(1);
    let distances = |pairs: &[usize]| pairs.par_iter().map(|k| pair(*k)).collect::<Result<Vec<f64>, _>>();
    Ok(pairs.chunks(at_once).map(distances).collect::<Result<Vec<_>, _>>()?.concat())
}

#[cfg(test)]
mod tests;
