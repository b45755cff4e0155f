//! Which limit is meant, from the word and the law of the tokens.

use super::super::{
    Experiment,
    error::ExperimentError,
    reference::{COUNT, ReferenceTyped, ReferenceWord, TOLERANCE},
};
use crate::{
    initial::{Form, Law},
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

    /// Tokens of the problem, or others of which the overlap alone is known. What is not there has been refused.
    fn equiangular(&self, typed: &ReferenceTyped) -> Reference {
        let own = self.typed.tokens.count;
        match self.equiangular_start(typed) {
            None => Reference::Equiangular,
            Some(start) => Reference::Overlap {
                count: typed.count.or(own).unwrap_or_default(),
                overlap: start.unwrap_or(f64::NAN),
            },
        }
    }

    /// The overlap from which equiangular tokens start that are not those of the problem; none where they are, and no number where
    /// tokens.initial has none.
    fn equiangular_start(&self, typed: &ReferenceTyped) -> Option<Option<f64>> {
        let own = self.typed.tokens.count;
        if typed.overlap.is_none() && (typed.count.is_none() || typed.count == own) {
            return None;
        }
        let of_law = || match self.typed.tokens.initial.form() {
            Form::Equiangular { overlap } => overlap.or_else(|| Some(-1.0 / (typed.count? as f64 - 1.0))),
            Form::Axial(_)
            | Form::Smooth { .. }
            | Form::Normal(_)
            | Form::Sampled
            | Form::Mixture(_)
            | Form::Placed => None,
        };
        Some(typed.overlap.or_else(of_law))
    }

    /// Refuses overlaps that so many equiangular tokens cannot have.
    pub(crate) fn require_overlap(&self) -> Result<(), ExperimentError> {
        let typed = self.typed.reference.as_ref().filter(|typed| typed.kind.meaning == ReferenceWord::Equiangular);
        let Some((typed, start)) = typed.and_then(|typed| Some((typed, self.equiangular_start(typed)?))) else {
            return Ok(());
        };
        let Some(count) = typed.count.or(self.typed.tokens.count).filter(|count| *count > 1) else {
            let problem = "missing, and tokens.count is no number of equiangular tokens";
            return Err(self.source.error("reference.count", "", problem, "write e.g. reference.count = 1000000"));
        };
        let Some(overlap) = start else {
            let problem = "missing, and tokens.initial is not equiangular";
            return Err(self.source.error("reference.overlap", "", problem, "write e.g. reference.overlap = 0.0"));
        };
        // As far as rounding tells them apart.
        let lowest = -1.0 / (count - 1) as f64;
        if overlap >= lowest * (1.0 + 4.0 * f64::EPSILON) {
            return Ok(());
        }
        let key = if typed.overlap.is_some() { "reference.overlap" } else { "reference.count" };
        let problem =
            format!("{count} equiangular tokens need an overlap in [{lowest}, 1), and would start from {overlap}");
        let remedy = "write reference.overlap = 0.0, for example";
        Err(self.source.error(key, self.quoted(key), problem, remedy))
    }

    /// The limit that runs beside the tokens, and the law from which it starts; none if none was asked for.
    pub fn reference(&self) -> Option<(Reference, &Law)> {
        let typed = self.typed.reference.as_ref()?;
        let reference = match typed.kind.meaning {
            ReferenceWord::Quadrature => Reference::Quadrature { tolerance: typed.tolerance.unwrap_or(TOLERANCE) },
            ReferenceWord::Zonal => Reference::Zonal,
            ReferenceWord::Gaussian => Reference::Gaussian,
            ReferenceWord::Equiangular => self.equiangular(typed),
            ReferenceWord::Particles => Reference::Particles { count: typed.count.unwrap_or(COUNT) as usize },
        };
        Some((reference, &self.typed.tokens.initial))
    }
}
