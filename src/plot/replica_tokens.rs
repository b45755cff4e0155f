//! Some tokens of the first replica, in memory.

use super::axis::LARGEST;

/// The tokens of one replica, ordered (token, component).
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ReplicaTokens {
    /// Components of a token.
    pub(super) dim: usize,
    /// How many replicas there are.
    pub(super) replicas: usize,
    pub(super) coordinates: Vec<f64>,
}

impl ReplicaTokens {
    /// The tokens that are finite.
    pub(super) fn finite(&self) -> impl Iterator<Item = &[f64]> + Clone {
        self.coordinates.chunks_exact(self.dim).filter(|token| is_finite(token))
    }

    /// All tokens, finite or not.
    pub(super) fn count(&self) -> usize {
        self.coordinates.len() / self.dim
    }
}

/// Whether the coordinates of a token are numbers of a size to compute with: a run that diverged has others.
pub(super) fn is_finite(token: &[f64]) -> bool {
    token.iter().all(|component| component.abs() <= LARGEST)
}
