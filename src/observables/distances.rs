//! How far the empirical measure of a replica is from the limit at the same time, or from that of another replica: what all such
//! distances have in common.
//!
//! At time zero this is the error of sampling; what it grows to is that and the dynamics together. How a limit is seen is said in
//! `limit`.

use super::{
    law::Law,
    objection::{Objection, Setup},
    reference::Reference,
    view::View,
};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    tokens::Weights,
    transport::{Measure, TransportError},
};

/// The sources of one replica.
pub(super) fn sources(view: &View, replica: usize) -> Law {
    let (tokens, shape) = (view.equation.tokens, view.equation.tokens.shape);
    let weights = match &tokens.weights {
        Weights::Each(_) => (0..shape.sources()).map(|j| tokens.weight(replica, j)).collect(),
        Weights::Equal => Vec::new(),
    };
    let points = view.replica(replica)[..shape.sources() * shape.dim].to_vec();
    Law::new(points, weights, shape.dim, view.model.geometry.is_unit())
}

/// `distance` of the tokens of a replica from the limit; not a number without a limit.
pub(super) fn from_limit(
    view: &View,
    replica: usize,
    distance: impl Fn(&Measure, &Measure) -> Result<f64, TransportError>,
) -> Result<f64, TransportError> {
    let Some(limit) = view.limit else { return Ok(f64::NAN) };
    distance(&sources(view, replica).measure()?, &limit.law()?.measure()?)
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
