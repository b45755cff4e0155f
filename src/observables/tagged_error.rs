//! How far passive tokens are from their coupled tokens in the limit.

use super::{Definition, Limit, Need, Numbers, Objection, Observable, Setup, View, coupled};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
};

/// `tagged_error`: what `coupling_error` is, over passive tokens, which are no part of the sample.
pub struct TaggedError;

const DEFINITION: Definition = Definition {
    word: "tagged_error",
    documentation: "the same over passive tokens, which are no part of the sample",
    needs: &[Need::Tokens, Need::Reference],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for TaggedError {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        vec!["tagged_error".into()]
    }

    fn objection(&self, setup: &Setup) -> Option<Objection> {
        let none = || {
            Objection::new(
                "tagged_error is that of passive tokens, and there are none",
                "write tokens.passive = 1 or more, or leave it out",
            )
        };
        coupled::objection(setup).or_else(|| (setup.passive == 0).then(none))
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, view: &View, replica: usize, _: &Statistics) -> Numbers {
        Ok(vec![coupled::tagged_error(view, replica)])
    }

    fn law_nodes(&self, limit: &Limit) -> Option<usize> {
        limit.node_count()
    }
}
