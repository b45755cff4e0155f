//! Which limit n = infinity runs beside the tokens.

use serde::Serialize;

use super::{
    error::ExperimentError,
    section::{Section, Word},
};
use crate::problem::ReferenceSteps;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ReferenceWord {
    Quadrature,
    Zonal,
    Gaussian,
    Equiangular,
    Particles,
}

pub(super) const REFERENCES: &[(&str, ReferenceWord)] = &[
    ("quadrature", ReferenceWord::Quadrature),
    ("zonal", ReferenceWord::Zonal),
    ("gaussian", ReferenceWord::Gaussian),
    ("equiangular", ReferenceWord::Equiangular),
    ("particles", ReferenceWord::Particles),
];
pub(super) const REFERENCE: &[&str] = &["kind", "tolerance", "count", "overlap", "steps"];

pub(super) const STEPS: &[(&str, ReferenceSteps)] =
    &[("own", ReferenceSteps::Own), ("tokens", ReferenceSteps::Tokens)];

/// How far coupled tokens may end from where finer nodes lead them, unless typed.
pub(super) const TOLERANCE: f64 = 1e-8;
/// How many tokens stand for the limit, unless typed.
pub(super) const COUNT: u64 = 65_536;
/// Beyond, doubles no longer tell n - 1 from n.
const MOST_EQUIANGULAR: u64 = 1_000_000_000_000_000;

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ReferenceTyped {
    pub kind: Word<ReferenceWord>,
    pub tolerance: Option<f64>,
    pub count: Option<u64>,
    pub overlap: Option<f64>,
    pub steps: Option<Word<ReferenceSteps>>,
}

pub(super) fn read(section: &Section) -> Result<ReferenceTyped, ExperimentError> {
    let kind = section.required("kind", "\"zonal\"")?.word(REFERENCES)?;
    if kind.meaning != ReferenceWord::Quadrature {
        let problem = "is one of nodes that are doubled, which this limit does not have";
        section.forbid(&["tolerance"], problem, "leave it out, or write reference.kind = \"quadrature\"")?;
    }
    let most = match kind.meaning {
        ReferenceWord::Particles => 1..=u64::from(u32::MAX),
        ReferenceWord::Equiangular => 2..=MOST_EQUIANGULAR,
        ReferenceWord::Quadrature | ReferenceWord::Zonal | ReferenceWord::Gaussian => {
            let problem = "is that of particles or equiangular tokens that stand for the limit";
            let remedy = "leave it out, or write reference.kind = \"particles\" or \"equiangular\"";
            section.forbid(&["count"], problem, remedy)?;
            1..=1
        }
    };
    if kind.meaning != ReferenceWord::Equiangular {
        let problem = "is that of equiangular tokens";
        section.forbid(&["overlap"], problem, "leave it out, or write reference.kind = \"equiangular\"")?;
    }
    let tolerance = section.read("tolerance", "1e-8", |entry| {
        entry.number("greater than 0 and less than 1", |tolerance| 0.0 < tolerance && tolerance < 1.0)
    })?;
    let count = section.read("count", "65536", |entry| entry.whole(most.clone()))?;
    let overlap = section.read("overlap", "0.0", |entry| {
        entry.number("at least -1 and less than 1", |overlap| (-1.0..1.0).contains(&overlap))
    })?;
    let steps = section.read("steps", "\"own\"", |entry| entry.word(STEPS))?;
    let fixed = match (kind.meaning, steps.map(|steps: Word<ReferenceSteps>| steps.meaning)) {
        (ReferenceWord::Particles, Some(ReferenceSteps::Own)) => {
            Some("particles take the steps of the tokens, whose errors they share")
        }
        (ReferenceWord::Equiangular, Some(ReferenceSteps::Tokens)) => {
            Some("an overlap has an equation of its own, which the steps of tokens do not suit")
        }
        _ => None,
    };
    if let Some(problem) = fixed {
        section.forbid(&["steps"], problem, "leave it out")?;
    }
    Ok(ReferenceTyped { kind, tolerance, count, overlap, steps })
}

impl ReferenceTyped {
    pub fn explicit(&mut self) {
        match self.kind.meaning {
            ReferenceWord::Quadrature => self.tolerance = Some(self.tolerance.unwrap_or(TOLERANCE)),
            ReferenceWord::Particles => self.count = Some(self.count.unwrap_or(COUNT)),
            ReferenceWord::Zonal | ReferenceWord::Gaussian | ReferenceWord::Equiangular => {}
        }
    }
}
