//! Which limit n = infinity runs beside the tokens.

use serde::Serialize;

use super::{
    Experiment,
    error::ExperimentError,
    section::{Section, Word},
};
use crate::{initial::Law, problem::Reference};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum ReferenceWord {
    Quadrature,
    Zonal,
}

pub(super) const REFERENCES: &[(&str, ReferenceWord)] =
    &[("quadrature", ReferenceWord::Quadrature), ("zonal", ReferenceWord::Zonal)];
pub(super) const REFERENCE: &[&str] = &["kind", "tolerance"];

/// How far twins may end from where finer nodes lead them, unless typed.
const TOLERANCE: f64 = 1e-8;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct ReferenceTyped {
    pub kind: Word<ReferenceWord>,
    pub tolerance: Option<f64>,
}

pub(super) fn read(section: &Section) -> Result<ReferenceTyped, ExperimentError> {
    let kind = section.required("kind", "\"zonal\"")?.word(REFERENCES)?;
    if kind.meaning == ReferenceWord::Zonal {
        section.forbid(
            &["tolerance"],
            "is one of nodes that are doubled, and zonal limits have enough",
            "leave it out",
        )?;
    }
    let tolerance = section.read("tolerance", "1e-8", |entry| {
        entry.number("greater than 0 and less than 1", |tolerance| 0.0 < tolerance && tolerance < 1.0)
    })?;
    Ok(ReferenceTyped { kind, tolerance })
}

impl ReferenceTyped {
    pub fn explicit(&mut self) {
        if self.kind.meaning == ReferenceWord::Quadrature {
            self.tolerance.get_or_insert(TOLERANCE);
        }
    }
}

impl Experiment {
    /// The limit that runs beside the tokens, and the law from which it starts; none if none was asked for.
    pub fn reference(&self) -> Option<(Reference, &Law)> {
        let typed = self.typed.reference.as_ref()?;
        let reference = match typed.kind.meaning {
            ReferenceWord::Quadrature => Reference::Quadrature { tolerance: typed.tolerance.unwrap_or(TOLERANCE) },
            ReferenceWord::Zonal => Reference::Zonal,
        };
        Some((reference, &self.typed.tokens.initial))
    }
}
