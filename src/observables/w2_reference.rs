//! W_2 of a replica and the limit.

use super::{
    Definition, Limit, Need, Numbers, Objection, Observable, Resolution, Setup, View, w1_reference, wasserstein,
};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    tokens::Tokens,
    transport::Order,
};

/// `w2_reference` = W_2(mu, measure of the limit), as `w1_reference` is W_1.
pub struct W2Reference;

const DEFINITION: Definition = Definition {
    word: "w2_reference",
    documentation: w1_reference::DEFINITION.documentation,
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for W2Reference {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["w2_reference".into()]
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
        wasserstein::of_limit(view, replica, Order::Two)
    }

    fn resolution(&self, sources: usize) -> Resolution {
        wasserstein::resolution(sources)
    }

    fn law_error(&self, limit: &Limit) -> Option<f64> {
        Some(wasserstein::law_error(limit, Order::Two))
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.quantile_count()
    }
}
