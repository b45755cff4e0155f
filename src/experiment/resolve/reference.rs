//! Which limit is meant, from the word and the law of the tokens.

use super::super::{
    Experiment,
    error::ExperimentError,
    reference::{COUNT, ReferenceWord, TOLERANCE},
};
use crate::{
    initial::Law,
    problem::{Reference, ReferenceSteps},
    scheme::Scheme,
};

impl Experiment {
    /// Which steps the limit takes. Those of the layer are the equation itself.
    pub fn reference_steps(&self) -> ReferenceSteps {
        let Some(typed) = &self.typed.reference else { return ReferenceSteps::Own };
        let has_time = self.typed.time.scheme.meaning != Scheme::Layer;
        let default = match typed.kind.meaning {
            ReferenceWord::Quadrature | ReferenceWord::Zonal | ReferenceWord::Gaussian if has_time => {
                ReferenceSteps::Own
            }
            ReferenceWord::Equiangular => ReferenceSteps::Own,
            ReferenceWord::Quadrature | ReferenceWord::Zonal | ReferenceWord::Gaussian | ReferenceWord::Particles => {
                ReferenceSteps::Tokens
            }
        };
        typed.steps.map_or(default, |steps| steps.meaning)
    }

    /// Refuses steps that the limit cannot take.
    pub(crate) fn require_reference_steps(&self) -> Result<(), ExperimentError> {
        let typed = self.typed.reference.as_ref().and_then(|reference| reference.steps);
        if self.typed.time.scheme.meaning == Scheme::Layer && typed.is_some_and(|s| s.meaning == ReferenceSteps::Own)
        {
            let problem =
                "time.scheme = \"layer\" is a map and no equation in time, so that there are no other steps";
            return Err(self.source.error(
                "reference.steps",
                self.quoted("reference.steps"),
                problem,
                "leave it out",
            ));
        }
        Ok(())
    }

    /// The limit that runs beside the tokens, and the law from which it starts; none if none was asked for.
    pub fn reference(&self) -> Option<(Reference, &Law)> {
        let typed = self.typed.reference.as_ref()?;
        let reference = match typed.kind.meaning {
            ReferenceWord::Quadrature => Reference::Quadrature { tolerance: typed.tolerance.unwrap_or(TOLERANCE) },
            ReferenceWord::Zonal => Reference::Zonal,
            ReferenceWord::Gaussian => Reference::Gaussian,
            ReferenceWord::Equiangular => Reference::Equiangular,
            ReferenceWord::Particles => Reference::Particles { count: typed.count.unwrap_or(COUNT) as usize },
        };
        Some((reference, &self.typed.tokens.initial))
    }
}
