//! What is measured, as far as the equation lets it be.

use super::{Experiment, attention::Divisor, error::ExperimentError};
use crate::observe::Quantity;

/// Why a quantity means nothing, and what to do about it.
type Objection = (&'static str, &'static str);

impl Experiment {
    /// What is measured: as typed, else moments, energy and w2_dirac, so far as they mean something.
    pub(super) fn quantities(&self) -> Result<Vec<Quantity>, ExperimentError> {
        let Some(typed) = &self.typed.observe.quantities else {
            let mut quantities = vec![Quantity::Moments, Quantity::Energy, Quantity::W2Dirac];
            quantities.retain(|quantity| self.objection(*quantity).is_none());
            return Ok(quantities);
        };
        let quantities: Vec<Quantity> = typed.iter().map(|word| word.meaning).collect();
        match quantities.iter().find_map(|quantity| self.objection(*quantity)) {
            None => Ok(quantities),
            Some((problem, remedy)) => {
                Err(self.source.error("observe.quantities", self.quoted("observe.quantities"), problem, remedy))
            }
        }
    }

    fn objection(&self, quantity: Quantity) -> Option<Objection> {
        let attention = &self.typed.attention;
        match quantity {
            // Errors are measured where a limit is, and no word asks for one.
            Quantity::Moments | Quantity::CouplingError | Quantity::TaggedError => None,
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
