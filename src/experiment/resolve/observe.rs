//! What is measured, with all numbers.

use super::super::{
    Experiment,
    error::ExperimentError,
    observe::{Numbers, ObserveTyped},
    section::Word,
};
use crate::observables::Quantity;

impl Experiment {
    /// What is measured, with all its numbers.
    pub(crate) fn quantities(&self) -> Result<Vec<Quantity>, ExperimentError> {
        let of = |word: Word<Quantity>| self.typed.observe.numbers.apply(word.meaning, self.seed());
        Ok(self.quantity_words()?.into_iter().map(of).collect())
    }

    /// The table as resolved, but for times.
    pub(crate) fn explicit_quantities(&self, observe: &mut ObserveTyped) -> Result<(), ExperimentError> {
        observe.numbers = Numbers::of(&self.quantities()?);
        observe.quantities = Some(self.quantity_words()?);
        Ok(())
    }
}
