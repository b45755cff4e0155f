//! What a sample is measured from on the host.

use super::{centres::Centres, directions::Directions, equation::Equation, limit::Limit};
use crate::model::Model;

/// Tokens that were read back at `time`, and the limit beside them.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Tokens and equation at time zero.
    pub equation: Equation<'a>,
    /// The equation at `time`.
    pub model: &'a Model,
    /// Layer-time.
    pub time: f64,
    /// Those of all replicas, ordered (replica, token, component); empty unless they were read.
    pub tokens: &'a [f64],
    /// dx/dt of these in the same order; empty unless they were read.
    pub velocities: &'a [f64],
    /// The limit at `time`, if one runs beside the tokens.
    pub limit: Option<&'a Limit<'a>>,
    /// [`Centres::of`] the tokens at time zero.
    pub centres: &'a [Centres],
}

impl<'a> View<'a> {
    /// The tokens of one replica, ordered (token, component).
    pub(super) fn replica(&self, replica: usize) -> &'a [f64] {
        let length = self.equation.tokens.shape.count * self.equation.tokens.shape.dim;
        &self.tokens[replica * length..][..length]
    }

    /// dx/dt of the tokens of one replica, in the same order.
    pub(super) fn velocities(&self, replica: usize) -> &'a [f64] {
        let length = self.equation.tokens.shape.count * self.equation.tokens.shape.dim;
        &self.velocities[replica * length..][..length]
    }

    /// The directions of the tokens of one replica that have weight, in their order.
    pub(super) fn directions(&self, replica: usize) -> Directions {
        Directions::at(&self.equation, replica, self.replica(replica))
    }

    /// Their coupled tokens; none without a limit.
    pub(super) fn coupled(&self, replica: usize) -> Option<&'a [f64]> {
        let length = self.equation.tokens.shape.count * self.equation.tokens.shape.dim;
        let coupled = |limit: &Limit<'a>| &limit.state.tokens[limit.state.tokens.len() - self.tokens.len()..];
        self.limit.map(|limit| &coupled(limit)[replica * length..][..length])
    }
}
