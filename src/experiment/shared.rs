//! What the terms of an experiment need of the rest of it.

use super::source::Source;

pub(crate) struct Shared<'a> {
    pub source: &'a Source,
    /// The key of random numbers that have none of their own.
    pub seed: u64,
    /// How many replicas there are.
    pub replicas: usize,
    /// The length of a step as typed.
    pub step: f64,
}
