//! How far mean and covariance of a replica are from those of the limit.

use super::{Definition, Limit, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{DOUBLE, Part, Sizes},
    observe::Statistics,
    transport::point_moments::PointMoments,
    vector::norm,
};

/// `mean_reference` = |m - m*| and `covariance_reference` = |C - C*|_F of the means and covariances of mu and the limit.
pub struct MomentsReference;

const DEFINITION: Definition = Definition {
    word: "moments_reference",
    documentation: "mean_reference = |m - m*| and covariance_reference = |C - C*|_F, those of mu and of the limit",
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for MomentsReference {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["mean_reference".into(), "covariance_reference".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        setup.objection_without_reference()
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        Part::new("covariances", 4 * DOUBLE, &sizes.matrix())
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(errors(view, replica).into())
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.node_count()
    }
}

/// |m - m*| and |C - C*|_F, with C = sum_j w_j (x_j - m)(x_j - m)^T; not numbers without a limit.
fn errors(view: &View, replica: usize) -> [f64; 2] {
    let Some(limit) = view.limit else { return [f64::NAN; 2] };
    let shape = view.equation.tokens.shape;
    let points = &view.replica(replica)[..shape.sources() * shape.dim];
    let weights = &view.equation.tokens.weights;
    let tokens = PointMoments::of(points, shape.dim, |j| weights.of(shape, replica, j));
    let expected = limit.moments();
    [distance(&tokens.mean, &expected.mean), distance(&tokens.covariance, &expected.covariance)]
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}
