//! How far tokens are from their coupled tokens in the limit.

use super::{Curve, Definition, Hue, Limit, Need, Numbers, Objection, Observable, Setup, View, coupled};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
};

/// `coupling_error` = (1/n sum_i |x_i - xbar_i|^2)^{1/2} over sources, xbar_i being the coupled mean-field token of x_i (see
/// [`limit`](crate::limit)), chordal distance.
pub struct CouplingError;

const DEFINITION: Definition = Definition {
    word: "coupling_error",
    documentation: "(1/n sum_i |x_i - xbar_i|^2)^{1/2} over tokens that are not passive, xbar_i being the coupled token of x_i in the \
        limit (see `reference`), chordal distance",
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: Some(Curve {
        column: "coupling_error",
        label: "coupling error, distance to coupled mean-field tokens",
        hue: Hue::Rust,
        void: 1,
        rank: 4,
    }),
};

impl Observable for CouplingError {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["coupling_error".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        coupled::objection(setup)
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(vec![coupled::coupling_error(view, replica)])
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.node_count()
    }
}
