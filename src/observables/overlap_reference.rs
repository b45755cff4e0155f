//! How far overlaps of tokens are from that of the equiangular reference.

use super::{Definition, Limit, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observables::Reference,
    observe::Statistics,
    tokens::Tokens,
    transport::point_moments::PointMoments,
};

/// `overlap_reference` = |mean of <x_i, x_j> over i != j - rho|, rho being the overlap of the equiangular reference.
pub struct OverlapReference;

const DEFINITION: Definition = Definition {
    word: "overlap_reference",
    documentation: "|mean of <x_i, x_j> over i != j - rho|, for reference.kind = \"equiangular\"",
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for OverlapReference {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["overlap_reference".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        setup.objection_without_reference()
    }

    fn objection_to_tokens(&self, setup: &Setup, _: &Tokens) -> Option<Objection> {
        let other = || {
            Objection::new(
                "overlap_reference is the overlap of the equiangular reference",
                "write reference.kind = \"equiangular\", or leave it out",
            )
        };
        (setup.reference != Some(Reference::Equiangular)).then(other)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(vec![overlap_error(view, replica)])
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.node_count()
    }
}

/// | mean overlap of two tokens - that of two of the limit |, of tokens of length one and equal weights: the mean of <x_i, x_j>
/// over i != j is (n |m|^2 - 1) / (n - 1). Not a number without a limit.
fn overlap_error(view: &View, replica: usize) -> f64 {
    let Some(limit) = view.limit else { return f64::NAN };
    let dim = view.equation.tokens.shape.dim;
    let overlap = |points: &[f64]| {
        let count = (points.len() / dim) as f64;
        let mean = PointMoments::of(points, dim, |_| 1.0 / count).mean;
        (count * mean.iter().map(|m| m * m).sum::<f64>() - 1.0) / (count - 1.0)
    };
    (overlap(view.replica(replica)) - overlap(limit.nodes().0)).abs()
}
