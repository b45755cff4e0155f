//! How well two tokens of a replica agree.

use super::{Definition, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
    vector::dot,
};

/// `pair_overlap` = sum_{i < j} w_i w_j <x_i, x_j> / sum_{i < j} w_i w_j over sources, which is (|sum_j w_j x_j|^2 - sum_j w_j^2 |x_j|^2) /
/// (1 - sum_j w_j^2); not a number where a single token has weight.
pub struct PairOverlap;

const DEFINITION: Definition = Definition {
    word: "pair_overlap",
    documentation: "the mean of <x_i, x_j> over pairs i < j of tokens that are not passive, weighted by w_i w_j, which is \
        (|sum_j w_j x_j|^2 - sum_j w_j^2 |x_j|^2) / (1 - sum_j w_j^2); not a number (NaN) where a single token \
        has weight",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for PairOverlap {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["pair_overlap".into()]
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(vec![pair_overlap(view, replica)])
    }
}

/// Each token is paired with the sum of those before it. Nothing is subtracted, so that no digit is lost where one token has nearly all
/// the weight, and the weights of a lone token leave 0 / 0.
fn pair_overlap(view: &View, replica: usize) -> f64 {
    let (tokens, shape) = (view.equation.tokens, view.equation.tokens.shape);
    let (mut sum, mut mass) = (vec![0.0; shape.dim], 0.0);
    let (mut overlaps, mut pairs) = (0.0, 0.0);
    for (token, x) in view.replica(replica).chunks_exact(shape.dim).take(shape.sources()).enumerate() {
        let weight = tokens.weight(replica, token);
        overlaps += weight * dot(&sum, x);
        pairs += weight * mass;
        sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
        mass += weight;
    }
    overlaps / pairs
}
