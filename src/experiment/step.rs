//! The length of steps as it is typed: a number, or numbers that say how it grows.

use serde::Serialize;

use super::{
    error::ExperimentError,
    section::{Entry, Section},
};

/// The keys of steps that grow.
pub(super) const GROWTH: &[&str] = &["first", "factor", "most"];

#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum StepTyped {
    Even(f64),
    Growing { first: f64, factor: f64, most: f64 },
}

pub(super) fn read(entry: &Entry) -> Result<StepTyped, ExperimentError> {
    let positive = |entry: &Entry| entry.number("finite and greater than 0", |step| step > 0.0);
    if !entry.is_table() {
        return positive(entry).map(StepTyped::Even);
    }
    let section: Section = entry.section(GROWTH)?;
    let first = positive(&section.required("first", "1e-4")?)?;
    let factor = section.required("factor", "1.05")?.number("finite and at least 1", |factor| factor >= 1.0)?;
    let typed = section.required("most", "0.1")?;
    let most = positive(&typed)?;
    if most < first {
        return Err(
            typed.error_with("is less than time.step.first", "write a longer one, or a shorter time.step.first")
        );
    }
    Ok(StepTyped::Growing { first, factor, most })
}

impl StepTyped {
    /// The first step.
    pub(super) fn first(self) -> f64 {
        match self {
            StepTyped::Even(step) => step,
            StepTyped::Growing { first, .. } => first,
        }
    }
}
