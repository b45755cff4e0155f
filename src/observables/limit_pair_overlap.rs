//! How well two tokens of the limit agree.

use super::{
    Definition, Limit, Need, Numbers, Objection, Observable, Setup, View, limit_values, pair_overlap::PairOverlap,
};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    transport::TransportError,
    vector::dot,
};

/// `limit_pair_overlap`: the mean of <x, y> over independent x and y of the limit, which is |mean|^2; where tokens stand for it, over
/// pairs of these.
pub struct LimitPairOverlap;

const DEFINITION: Definition = Definition {
    word: "limit_pair_overlap",
    documentation: limit_values::DOCUMENTATION,
    needs: &[Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for LimitPairOverlap {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, dim: usize) -> Vec<String> {
        limit_values::columns(PairOverlap.columns(dim))
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        limit_values::objection(setup, DEFINITION.word)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    /// Measured of all replicas at once, but for tokens without a limit.
    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(vec![f64::NAN])
    }

    fn measure_together(&self, view: &View) -> Result<Option<Vec<Vec<f64>>>, TransportError> {
        limit_values::everywhere(view, |limit| vec![pair_overlap(limit)])
    }

    fn is_known_of_overlaps(&self) -> bool {
        true
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.node_count()
    }
}

/// |m|^2 has the pairs of a token with itself, of which independent tokens have none, but a finite number of them has: of weights w_j these
/// are sum_j w_j^2 |x_j|^2 of it.
fn pair_overlap(limit: &Limit) -> f64 {
    if let Some(tokens) = limit.state.equiangular {
        return tokens.length * tokens.length * tokens.overlap;
    }
    let mean = limit.moments().mean;
    let square = dot(&mean, &mean);
    if !limit.state.are_tokens {
        return square;
    }
    let (points, weights) = limit.nodes();
    let sum = |term: &dyn Fn(&[f64], f64) -> f64| -> f64 {
        points.chunks_exact(mean.len()).zip(weights).map(|(x, weight)| term(x, *weight)).sum()
    };
    let itself = sum(&|x, weight| weight * weight * dot(x, x));
    (square - itself) / (1.0 - sum(&|_, weight| weight * weight))
}
