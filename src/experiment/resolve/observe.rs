//! What is measured, with all numbers.

use super::super::{
    Experiment,
    error::ExperimentError,
    observe::{KeptTyped, Numbers, ObserveTyped},
    section::Word,
};
use crate::{
    observables::{Quantity, Tokens, TokensFormat},
    tokens::Shape,
};

impl Experiment {
    /// What is measured, with all its numbers.
    pub(crate) fn quantities(&self) -> Result<Vec<Quantity>, ExperimentError> {
        let of = |word: Word<Quantity>| match self.typed.observe.numbers.apply(word.meaning, self.seed()) {
            Quantity::Tokens(_) => self.kept_tokens().map(Quantity::Tokens),
            other => Ok(other),
        };
        self.quantity_words()?.into_iter().map(of).collect()
    }

    fn kept_tokens(&self) -> Result<Tokens, ExperimentError> {
        let KeptTyped { every, sample, format } = self.typed.observe.tokens.unwrap_or_default();
        let every = every.map(|every| self.steps("observe.tokens.every", every)).transpose()?;
        let format = format.map_or(TokensFormat::Auto, |format| format.meaning);
        let seed = sample.map_or(0, |_| self.seed());
        Ok(Tokens { every, sample, seed, format })
    }

    /// Refuses to keep more tokens than there are.
    pub(super) fn require_kept(&self, shape: Shape) -> Result<(), ExperimentError> {
        let sample = self.typed.observe.tokens.and_then(|kept| kept.sample);
        let Some(sample) = sample.filter(|sample| *sample > shape.count as u64) else { return Ok(()) };
        let problem = format!("each replica has {} tokens", shape.count);
        let remedy = format!("write observe.tokens.sample = {} or less, or leave it out to keep all", shape.count);
        Err(self.source.error("observe.tokens.sample", sample, problem, remedy))
    }

    /// The table as resolved, but for times.
    pub(crate) fn explicit_quantities(&self, observe: &mut ObserveTyped) -> Result<(), ExperimentError> {
        observe.numbers = Numbers::of(&self.quantities()?);
        observe.quantities = Some(self.quantity_words()?);
        Ok(())
    }
}
