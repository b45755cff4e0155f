//! W_1 of a replica and the limit.

use super::{Definition, Limit, Need, Numbers, Objection, Observable, Resolution, Setup, View, wasserstein};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    tokens::Tokens,
    transport::Order,
};

/// `w1_reference` = W_1(mu, measure of the limit): exact on the circle, geodesic; elsewhere by assignment, chordal.
pub struct W1Reference;

pub(super) const DEFINITION: Definition = Definition {
    word: "w1_reference",
    documentation: "W_1 and W_2 of mu and the measure of the limit at the same time (at t = 0, the error of sampling). On \
        the circle exact, in arcs (radians); elsewhere by assignment, in chords, for reference.kind = \
        \"particles\" with as many of them as tokens of equal weights, at most 8192",
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for W1Reference {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["w1_reference".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        setup.objection_without_reference()
    }

    fn objection_to_tokens(&self, setup: &Setup, tokens: &Tokens) -> Option<Objection> {
        wasserstein::objection_to_points(setup, tokens)
    }

    fn memory(&self, sizes: &Sizes) -> Part {
        wasserstein::memory(sizes)
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        wasserstein::of_limit(view, replica, Order::One)
    }

    fn resolution(&self, sources: usize) -> Resolution {
        wasserstein::resolution(sources)
    }

    fn law_error(&self, limit: &Limit) -> Option<f64> {
        Some(wasserstein::law_error(limit, Order::One))
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.quantile_count()
    }
}
