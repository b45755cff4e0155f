//! What a sample is measured from on the host.

use super::{Centres, Limit};
use crate::{model::Model, problem::Problem};

/// Tokens that were read back at `time`, and the limit beside them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub problem: &'a Problem,
    /// The equation at `time`.
    pub model: &'a Model,
    pub time: f64,
    /// Those of all replicas, ordered (replica, token, component); empty unless they were read.
    pub tokens: &'a [f64],
    pub limit: Option<&'a Limit<'a>>,
    /// [`Centres::of`] the problem.
    pub centres: &'a [Centres],
}

impl<'a> View<'a> {
    /// The tokens of one replica, ordered (token, component).
    pub(super) fn replica(&self, replica: usize) -> &'a [f64] {
        let length = self.problem.tokens.shape.count * self.problem.tokens.shape.dim;
        &self.tokens[replica * length..][..length]
    }

    /// Their twins; none without a limit.
    pub(super) fn twins(&self, replica: usize) -> Option<&'a [f64]> {
        let length = self.problem.tokens.shape.count * self.problem.tokens.shape.dim;
        let twins = |limit: &Limit<'a>| &limit.tokens[limit.tokens.len() - self.tokens.len()..];
        self.limit.map(|limit| &twins(limit)[replica * length..][..length])
    }
}
