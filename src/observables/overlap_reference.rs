//! How far overlaps of tokens are from that of the equiangular reference.

use super::{Definition, Limit, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observables::Reference,
    observe::Statistics,
    tokens::Tokens,
    transport::point_moments::PointMoments,
    vector::{dot, norm},
};

/// `overlap_reference` = |mean of <x_i, x_j> / |x_i| |x_j| over i != j - rho|, rho being the overlap of the equiangular reference.
pub struct OverlapReference;

const DEFINITION: Definition = Definition {
    word: "overlap_reference",
    documentation: "|mean of <x_i, x_j> / |x_i| |x_j| over i != j - rho|, for reference.kind = \"equiangular\"",
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

/// | mean overlap of two tokens - rho |, of tokens of equal weights: with theta = x / |x| and their mean m the mean of
/// <theta_i, theta_j> over i != j is (n |m|^2 - 1) / (n - 1). Not a number without a limit of equiangular tokens.
fn overlap_error(view: &View, replica: usize) -> f64 {
    let Some(reference) = view.limit.and_then(|limit| limit.state.equiangular) else { return f64::NAN };
    let dim = view.equation.tokens.shape.dim;
    let mut directions = view.replica(replica).to_vec();
    for x in directions.chunks_exact_mut(dim) {
        let length = norm(x);
        x.iter_mut().for_each(|component| *component /= length);
    }
    let count = (directions.len() / dim) as f64;
    let mean = PointMoments::of(&directions, dim, |_| 1.0 / count).mean;
    let overlap = (count * dot(&mean, &mean) - 1.0) / (count - 1.0);
    (overlap - reference.overlap).abs()
}
