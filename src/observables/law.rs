//! How far the empirical measure of a replica is from the limit at the same time, or from that of another replica: what all such
//! distances have in common.
//!
//! At time zero this is the error of sampling; what it grows to is that and the dynamics together. How a limit is seen is said in
//! `limit`.

use super::{Objection, Setup, View, columns};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    problem::Reference,
    tokens::Weights,
    transport::{Masses, Measure, TransportError},
};

/// Errors of what stands for the limit, relative to a distance from it, that nobody needs to hear of.
const RESOLVED: f64 = 0.01;

/// A measure that owns its points.
pub(super) struct Law {
    points: Vec<f64>,
    /// Empty for equal ones.
    weights: Vec<f64>,
    dim: usize,
}

impl Law {
    /// Points that `is_unit` says are on the sphere are put back on it: single precision leaves them 1e-7 off.
    pub fn new(mut points: Vec<f64>, weights: Vec<f64>, dim: usize, is_unit: bool) -> Self {
        if is_unit {
            for x in points.chunks_exact_mut(dim) {
                let length = x.iter().map(|x| x * x).sum::<f64>().sqrt();
                x.iter_mut().for_each(|x| *x /= length);
            }
        }
        Self { points, weights, dim }
    }

    /// The sources of one replica.
    pub fn of(view: &View, replica: usize) -> Self {
        let (tokens, shape) = (&view.problem.tokens, view.problem.tokens.shape);
        let weights = match &tokens.weights {
            Weights::Each(_) => (0..shape.sources()).map(|j| tokens.weight(replica, j)).collect(),
            Weights::Equal => Vec::new(),
        };
        let points = view.replica(replica)[..shape.sources() * shape.dim].to_vec();
        Self::new(points, weights, shape.dim, view.model.geometry.is_unit())
    }

    pub fn measure(&self) -> Result<Measure<'_>, TransportError> {
        let masses = if self.weights.is_empty() { Masses::Equal } else { Masses::Each(&self.weights) };
        Measure::new(&self.points, self.dim, masses)
    }
}

/// `distance` of the tokens of a replica from the limit; not a number without a limit.
pub(super) fn from_limit(
    view: &View,
    replica: usize,
    distance: impl Fn(&Measure, &Measure) -> Result<f64, TransportError>,
) -> Result<f64, TransportError> {
    let Some(limit) = view.limit else { return Ok(f64::NAN) };
    distance(&Law::of(view, replica).measure()?, &limit.law()?.measure()?)
}

pub(super) fn memory(sizes: &Sizes) -> Part {
    let [_, count, dim] = sizes.shape();
    let nodes = sizes.limit.as_ref().map_or(0, |limit| u128::from(limit.nodes));
    Part::new("clouds of a distance", 6 * DOUBLE * (1 + nodes / count.1.max(1)), &[count, dim])
}

/// Of a limit that is known by its mean and covariance.
pub(super) fn objection_to_moments(setup: &Setup) -> Option<Objection> {
    let gaussian = || {
        Objection::new(
            "of a gaussian limit mean and covariance are known, and no points",
            "write \"moments_reference\" instead, or reference.kind = \"particles\"",
        )
    };
    (setup.reference == Some(Reference::Gaussian)).then(gaussian)
}

/// Of a limit that is known by heights over an axis, but on the circle, where these are quantiles.
pub(super) fn objection_to_heights(setup: &Setup, dim: usize) -> Option<Objection> {
    let heights = || {
        Objection::new(
            "of a zonal limit heights are known, and no points",
            "write \"mmd_reference\" instead, or reference.kind = \"quadrature\" (dim = 3) or \"particles\"",
        )
    };
    (setup.reference == Some(Reference::Zonal) && !setup.is_circle(dim)).then(heights)
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
        let Some(error) = quantity.observable().law_error(limit) else { continue };
        let error = if limit.limit.is_sampled() { None } else { Some(error) };
        if error.is_none_or(|error| error > RESOLVED * value) && start < place {
            return Some(Unresolved { column: names[0].clone(), value, error });
        }
    }
    None
}
