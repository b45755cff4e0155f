//! Why an observable is refused, and what that depends on before there is a problem.

use crate::{model::Normalization, observables::Reference};

/// Why an observable means nothing here, and what to do about it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Objection {
    pub problem: String,
    pub remedy: String,
}

impl Objection {
    pub fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }
}

/// What an experiment says of itself before any file is read, as far as observables depend on it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Setup {
    /// Whether all tokens have length one.
    pub is_unit: bool,
    /// Whether the direction of a token says where it is, but for a length that layer norms or attention forget.
    pub has_directions: bool,
    pub normalization: Normalization,
    /// Whether the inverse temperature of some head is zero at some time.
    pub has_zero_beta: bool,
    /// Whether tokens see none behind them.
    pub is_causal: bool,
    /// Whether every second replica starts next to the one before it.
    pub is_perturbed: bool,
    pub passive: u64,
    pub reference: Option<Reference>,
}

impl Setup {
    /// Whether tokens of so many components are points of the unit circle.
    pub fn is_circle(&self, dim: usize) -> bool {
        dim == 2 && self.is_unit
    }

    /// Where nothing stands for the limit.
    pub fn objection_without_reference(&self) -> Option<Objection> {
        let none =
            || Objection::new("a distance from the limit needs one", "write a table [reference], or leave it out");
        self.reference.is_none().then(none)
    }
}
