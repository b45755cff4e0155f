//! The tokens themselves.

use super::{Definition, Need, Numbers, Objection, Observable, Setup, View};
use crate::{
    budget::{Part, Sizes},
    observe::Statistics,
};

/// The tokens themselves, which fill no column but a file of their own.
pub struct Tokens;

const DEFINITION: Definition = Definition {
    word: "tokens",
    documentation: "no column, but a file trajectory.npy, (samples, replicas, count, dim), with the tokens of every sample: \
        for pictures of tokens over time, and for `tokenfield plot --animate`",
    needs: &[Need::Tokens],
    replicas_a_sample: 1,
    curve: None,
};

impl Observable for Tokens {
    fn definition(&self) -> &'static Definition {
        &DEFINITION
    }

    fn columns(&self, _: usize) -> Vec<String> {
        Vec::new()
    }

    fn objection(&self, _: &Setup) -> Option<Objection> {
        None
    }

    fn memory(&self, _: &Sizes) -> Part {
        Part::none()
    }

    fn measure(&self, _: &View, _: usize, _: &Statistics) -> Numbers {
        Ok(Vec::new())
    }
}
