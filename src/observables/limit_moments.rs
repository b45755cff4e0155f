//! Mean and second moment of the limit.

use super::{Definition, Limit, Need, Numbers, Objection, Observable, Setup, View, limit_values, moments::Moments};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::{Statistics, eigenvalues},
    transport::{TransportError, point_moments::PointMoments},
    vector::norm,
};

/// The columns of [`Moments`](super::Moments) of the limit: `limit_mean_k`, `limit_mean_norm` and `limit_second_moment_eigenvalue_k`.
pub struct LimitMoments;

const DEFINITION: Definition = Definition {
    word: "limit_moments",
    documentation: limit_values::DOCUMENTATION,
    needs: &[Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for LimitMoments {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, dim: usize) -> Vec<String> {
        limit_values::columns(Moments.columns(dim))
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        limit_values::objection(setup, DEFINITION.word)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("covariances", 4 * DOUBLE, &sizes.matrix())
    }

    /// Measured of all replicas at once, but for tokens without a limit.
    fn measure(&self, view: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(vec![f64::NAN; 2 * view.equation.tokens.shape.dim + 1])
    }

    fn measure_together(&self, view: &View) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
        limit_values::everywhere(view, |limit| moments(limit.moments()))
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.node_count()
    }
}

fn moments(of_limit: PointMoments) -> Vec<f64> {
    let PointMoments { mean, covariance } = of_limit;
    let dim = mean.len();
    let second_moment: Vec<f64> =
        covariance.iter().enumerate().map(|(k, entry)| entry + mean[k / dim] * mean[k % dim]).collect();
    let spectrum = eigenvalues(&second_moment, dim);
    let length = norm(&mean);
    [mean, vec![length], spectrum].concat()
}
