//! How far mean and covariance of a replica are from those of the limit.

use super::{Definition, Limit, Need, Numbers, Objection, Observable, Setup, View, limit_state::Nodes};
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
    let expected = of_limit(limit);
    [distance(&tokens.mean, &expected.mean), distance(&tokens.covariance, &expected.covariance)]
}

fn of_limit(limit: &Limit) -> PointMoments {
    let dim = limit.state.shape.dim;
    let (points, weights) = limit.nodes();
    match limit.state.nodes {
        Nodes::Points | Nodes::Moments => PointMoments::of(points, dim, |j| weights[j]),
        Nodes::Meridian { axis } => about(axis, points, weights),
    }
}

/// Of a measure symmetric about `axis`: mean E[t] e and covariance Var[t] e e^T + E[1 - t^2] / (d - 1) (I - e e^T).
fn about(axis: &[f64], points: &[f64], weights: &[f64]) -> PointMoments {
    let dim = axis.len();
    let height = |x: &[f64]| x.iter().zip(axis).map(|(x, e)| x * e).sum::<f64>();
    let expectation = |f: &dyn Fn(f64) -> f64| -> f64 {
        points.chunks_exact(dim).zip(weights).map(|(x, weight)| weight * f(height(x))).sum()
    };
    let mean = expectation(&|t| t);
    let (along, across) =
        (expectation(&|t| (t - mean) * (t - mean)), expectation(&|t| 1.0 - t * t) / (dim - 1) as f64);
    let entry = |k: usize, l: usize| (along - across) * axis[k] * axis[l] + if k == l { across } else { 0.0 };
    PointMoments {
        mean: axis.iter().map(|e| mean * e).collect(),
        covariance: (0..dim * dim).map(|index| entry(index / dim, index % dim)).collect(),
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    norm(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>())
}
