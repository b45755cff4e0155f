//! What is measured, as far as the equation lets it be.

use super::{
    Experiment,
    attention::Divisor,
    error::ExperimentError,
    section::{Word, word},
    typed::QUANTITIES,
};
use crate::observe::Quantity;

/// Why a quantity means nothing, and what to do about it.
type Objection = (&'static str, &'static str);

impl Experiment {
    /// What is measured: as typed, else moments, energy, w2_dirac and coupling_error, so far as they mean something.
    pub(super) fn quantity_words(&self) -> Result<Vec<Word<Quantity>>, ExperimentError> {
        let Some(typed) = &self.typed.observe.quantities else {
            let mut quantities =
                vec![Quantity::Moments, Quantity::Energy, Quantity::W2Dirac, Quantity::CouplingError];
            quantities.retain(|quantity| self.objection(*quantity).is_none());
            return Ok(quantities.into_iter().map(|quantity| word(QUANTITIES, quantity)).collect());
        };
        match typed.iter().find_map(|quantity| self.objection(quantity.meaning)) {
            None => Ok(typed.clone()),
            Some((problem, remedy)) => {
                Err(self.source.error("observe.quantities", self.quoted("observe.quantities"), problem, remedy))
            }
        }
    }

    fn objection(&self, quantity: Quantity) -> Option<Objection> {
        let attention = &self.typed.attention;
        match quantity {
            Quantity::Moments => None,
            Quantity::Energy if attention.divisor() == Divisor::Hardmax => Some((
                "the energy (1 / 2 beta) sum_ij .. is infinite for hardmax, which is beta = infinity",
                "leave \"energy\" out",
            )),
            Quantity::Energy if self.has_zero_beta() => Some((
                "the energy (1 / 2 beta) sum_ij .. is undefined for attention.beta = 0",
                "leave \"energy\" out, or write attention.beta = 1e-3",
            )),
            Quantity::Energy => None,
            Quantity::W2Dirac | Quantity::Overlap if self.geometry().is_unit() => None,
            Quantity::CouplingError | Quantity::TaggedError if self.typed.reference.is_none() => Some((
                "coupling_error and tagged_error compare tokens with their twins in the limit",
                "write a table [reference], or leave them out",
            )),
            Quantity::TaggedError if self.typed.tokens.passive.unwrap_or(0) == 0 => Some((
                "tagged_error is that of passive tokens, and there are none",
                "write tokens.passive = 1 or more, or leave it out",
            )),
            Quantity::CouplingError | Quantity::TaggedError => None,
            quantity if quantity.needs_reference() && self.typed.reference.is_none() => {
                Some(("a distance from the limit needs one", "write a table [reference], or leave it out"))
            }
            Quantity::MmdReference { .. } if !self.geometry().is_unit() => Some((
                "the kernel e^{beta (<x, y> - 1)} of mmd_reference is one of unit vectors, and grows without bound off the sphere",
                "write \"sinkhorn_reference\" or \"sliced_w2_reference\" instead",
            )),
            Quantity::W1Reference
            | Quantity::W2Reference
            | Quantity::SlicedW2Reference { .. }
            | Quantity::SinkhornReference { .. }
            | Quantity::MmdReference { .. }
            | Quantity::MomentsReference
            | Quantity::OverlapReference
            | Quantity::W1Copies => None,
            Quantity::W2Dirac | Quantity::Overlap => Some((
                "w2_dirac and overlap compare tokens with a direction, and those of this tokens.geometry have a length",
                "leave them out",
            )),
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
