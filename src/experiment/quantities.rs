//! What is measured, as far as the equation lets it be: first as typed, then with tokens, then as resolved.

use super::{
    Experiment,
    error::ExperimentError,
    geometry::GeometryWord,
    observe::WORDS,
    section::{Word, word},
};
use crate::{
    model::Mask,
    observables::{Objection, Quantity, Setup},
    problem::Problem,
    tokens::Tokens,
};

impl Experiment {
    /// What is measured: as typed, else moments, energy, w2_dirac and coupling_error, so far as they mean something.
    pub(super) fn quantity_words(&self) -> Result<Vec<Word<Quantity>>, ExperimentError> {
        let setup = self.setup();
        let Some(typed) = &self.typed.observe.quantities else {
            let mut quantities =
                vec![Quantity::Moments, Quantity::Energy, Quantity::W2Dirac, Quantity::CouplingError];
            quantities.retain(|quantity| quantity.objection(&setup).is_none());
            return Ok(quantities.into_iter().map(|quantity| word(&WORDS, quantity)).collect());
        };
        self.refuse(typed.iter().find_map(|quantity| quantity.meaning.objection(&setup)))?;
        Ok(typed.clone())
    }

    /// Refuses what could not be measured of these tokens, or compared with this limit.
    pub(super) fn require_distances(&self, quantities: &[Quantity], tokens: &Tokens) -> Result<(), ExperimentError> {
        let setup = self.setup();
        let objection = |quantity: &Quantity| quantity.observable().objection_to_tokens(&setup, tokens);
        self.refuse(quantities.iter().find_map(objection))
    }

    /// Refuses what the resolved problem leaves without meaning.
    pub(super) fn require_measurable(&self, problem: &Problem) -> Result<(), ExperimentError> {
        let objection = |quantity: &Quantity| quantity.observable().objection_to_problem(&problem.equation());
        self.refuse(problem.quantities.iter().find_map(objection))
    }

    fn refuse(&self, objection: Option<Objection>) -> Result<(), ExperimentError> {
        let key = "observe.quantities";
        match objection {
            None => Ok(()),
            Some(Objection { problem, remedy }) => Err(self.source.error(key, self.quoted(key), problem, remedy)),
        }
    }

    fn setup(&self) -> Setup {
        let (attention, tokens) = (&self.typed.attention, &self.typed.tokens);
        let mask = attention.mask.map(|word| word.meaning);
        Setup {
            is_unit: self.geometry().is_unit(),
            has_directions: !matches!(self.geometry(), GeometryWord::Euclidean | GeometryWord::Rescaled),
            normalization: attention.normalization(),
            has_zero_beta: self.has_zero_beta(),
            is_causal: matches!(mask, Some(Mask::Causal | Mask::StrictlyCausal)),
            is_perturbed: tokens.perturbation.is_some(),
            passive: tokens.passive.unwrap_or(0),
            reference: self.reference().map(|(reference, _)| reference),
        }
    }

    /// Whether the inverse temperature of some head is zero at some time.
    fn has_zero_beta(&self) -> bool {
        let attention = &self.typed.attention;
        let common = || attention.betas().contains(&0.0);
        match attention.head[..] {
            [] => common(),
            _ => attention.head.iter().any(|head| head.beta.map_or_else(common, |beta| beta == 0.0)),
        }
    }
}
