//! How far the empirical measure of a replica is from the limit at the same time, or from that of another replica.
//!
//! At time zero this is the error of sampling; what it grows to is that and the dynamics together. The limit is seen as it is:
//! weighted nodes as points, a symmetric law on the circle as the points of both of its meridians. Of one in more dimensions
//! heights alone are known, which is enough for its embedding in the Hilbert space of the kernel.

use rayon::prelude::*;

use super::View;
use crate::{
    limit::{self, Nodes, Series, kernel_mean},
    observe::{Quantity, Statistics},
    problem::Problem,
    transport::{
        Masses, Measure, Order, TransportError, assignment, circle, kernel, sinkhorn,
        sliced::{Sliced, Slices},
    },
};

/// Keys the directions of projections: the same for every replica, time and run.
const SEED: u64 = 0;
/// Bytes of the costs of assignments that are solved at once, unless one is more.
const COSTS: usize = 2 << 30;
/// When a Sinkhorn divergence is known, and when it is given up.
const MARGINAL: f64 = 1e-6;
const ITERATIONS: u32 = 20_000;

/// The limit of a problem and its tokens at the time of a sample, of which the last are the twins of those of the problem.
#[derive(Debug)]
pub struct Limit<'a> {
    pub limit: &'a limit::Limit,
    pub tokens: &'a [f64],
    /// Of the kernel of [`Quantity::MmdReference`], if that is asked for.
    embedding: Option<Embedding>,
}

/// h = int k(., y) dmu(y), with k(x, y) = e^{beta (<x, y> - 1)} and the measure mu of a limit.
#[derive(Debug)]
struct Embedding {
    /// int h dmu.
    square: f64,
    /// h as a function of the height over the axis, if that is how mu is known.
    of_height: Option<Series>,
}

impl<'a> Limit<'a> {
    pub fn new(limit: &'a limit::Limit, tokens: &'a [f64], quantities: &[Quantity]) -> Result<Self, TransportError> {
        let mut seen = Self { limit, tokens, embedding: None };
        for quantity in quantities {
            if let Quantity::MmdReference { beta } = quantity {
                seen.embedding = Some(seen.embedding(*beta)?);
            }
        }
        Ok(seen)
    }

    fn embedding(&self, beta: f64) -> Result<Embedding, TransportError> {
        let Nodes::Meridian { axis } = &self.limit.nodes else {
            let law = self.law()?;
            return Ok(Embedding { square: kernel::mean(&law.measure()?, &law.measure()?, beta)?, of_height: None });
        };
        let (points, weights) = self.nodes();
        let heights: Vec<f64> = points.chunks_exact(axis.len()).map(|x| dot(x, axis)).collect();
        let series = kernel_mean(&heights, weights, axis.len(), beta);
        let square = heights.iter().zip(weights).map(|(t, weight)| weight * series.at(*t)).sum();
        Ok(Embedding { square, of_height: Some(series) })
    }

    /// The nodes, row-major, and their weights.
    pub(super) fn nodes(&self) -> (&[f64], &[f64]) {
        let tokens = &self.limit.problem.tokens;
        let nodes = tokens.shape.sources();
        let weights = match &tokens.weights {
            crate::tokens::Weights::Each(weights) => &weights[..nodes],
            crate::tokens::Weights::Equal => &[],
        };
        (&self.tokens[..nodes * tokens.shape.dim], weights)
    }

    /// The measure as points.
    pub(crate) fn law(&self) -> Result<Law, TransportError> {
        let dim = self.limit.problem.tokens.shape.dim;
        let (points, weights) = self.nodes();
        let is_unit = self.limit.problem.model.geometry.is_unit();
        match &self.limit.nodes {
            Nodes::Points => Ok(Law::new(points.to_vec(), weights.to_vec(), dim, is_unit)),
            Nodes::Meridian { axis } if dim == 2 => {
                let mirrored = |x: &[f64]| {
                    let twice = 2.0 * dot(x, axis);
                    [twice * axis[0] - x[0], twice * axis[1] - x[1]]
                };
                let other = points.chunks_exact(2).flat_map(mirrored);
                let half: Vec<f64> = weights.iter().map(|weight| 0.5 * weight).collect();
                Ok(Law::new(points.iter().copied().chain(other).collect(), half.repeat(2), dim, is_unit))
            }
            Nodes::Meridian { .. } => Err(TransportError::NoPoints { known: "heights" }),
            Nodes::Moments => Err(TransportError::NoPoints { known: "moments" }),
        }
    }
}

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
                let length = dot(x, x).sqrt();
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

    /// It along the directions of [`Quantity::SlicedW2Reference`].
    pub(crate) fn slices(&self, projections: u32) -> Result<Slices<'_>, TransportError> {
        Slices::new(self.measure()?, projections, SEED)
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
        let law = limit.law()?;
        let slices = law.slices(projections)?;
        let replicas: Vec<Law> = (0..statistics.len()).map(|replica| Law::of(view, replica)).collect();
        let measures = replicas.iter().map(Law::measure).collect::<Result<Vec<Measure>, _>>()?;
        let costs = slices.costs(Order::Two, &measures)?;
        root(*quantity, &costs, statistics);
    }
    Ok(())
}

/// Adds the distances, and their errors, that costs W_2^2, ordered (replica, direction), make.
pub(crate) fn root(quantity: Quantity, costs: &[f64], statistics: &mut [Statistics]) {
    let directions = costs.len() / statistics.len();
    for (replica, costs) in statistics.iter_mut().zip(costs.chunks_exact(directions)) {
        let Sliced { distance, standard_error } = Sliced::of(Order::Two, costs);
        replica.measured.push((quantity, vec![distance, standard_error]));
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
    let product = match (&embedding.of_height, &limit.limit.nodes) {
        (Some(series), Nodes::Meridian { axis }) => tokens.mean(|x| series.at(dot(x, axis))),
        _ => kernel::mean(&tokens, &limit.law()?.measure()?, beta)?,
    };
    Ok(kernel::discrepancy(own, embedding.square, product))
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

fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

#[cfg(test)]
mod tests;
