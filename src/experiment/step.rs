//! The length of steps as it is typed: a number, numbers that say how it grows, a list, or a tolerance.

use serde::Serialize;

use super::{
    array::{LIST, ListTyped},
    error::ExperimentError,
    section::{Entry, Section},
};
use crate::problem::Uneven;

/// The keys of steps that grow.
pub(super) const GROWTH: &[&str] = &["first", "factor", "most"];
/// The keys of steps of controlled error.
pub(super) const CONTROL: &[&str] = &["tolerance", "first", "most"];

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum StepTyped {
    Even(f64),
    Growing {
        first: f64,
        factor: f64,
        most: f64,
    },
    /// As long as an estimate of their error allows.
    Controlled {
        tolerance: f64,
        #[serde(skip_serializing_if = "Option::is_none")]
        first: Option<f64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        most: Option<f64>,
    },
    /// Of each step in turn.
    Each(ListTyped),
}

pub(super) fn read(entry: &Entry) -> Result<StepTyped, ExperimentError> {
    let positive = |entry: &Entry| entry.number("finite and greater than 0", |step| step > 0.0);
    if entry.is_list() || entry.has(LIST[0]) {
        return ListTyped::read(entry).map(StepTyped::Each);
    }
    if !entry.is_table() {
        return positive(entry).map(StepTyped::Even);
    }
    if entry.has(CONTROL[0]) {
        let section = entry.section(CONTROL)?;
        return Ok(StepTyped::Controlled {
            tolerance: positive(&section.required("tolerance", "1e-6")?)?,
            first: section.read("first", "1e-3", positive)?,
            most: section.read("most", "0.1", positive)?,
        });
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
    /// The first step, or one that is as good where it is in a file.
    pub(super) fn first(&self) -> f64 {
        match self {
            StepTyped::Even(step) => *step,
            StepTyped::Growing { first, .. } => *first,
            StepTyped::Controlled { first, .. } => first.unwrap_or(1.0),
            StepTyped::Each(ListTyped::Numbers(lengths)) => lengths.first().copied().unwrap_or(1.0),
            StepTyped::Each(ListTyped::File { .. }) => 1.0,
        }
    }

    /// Where steps that are typed one by one end.
    pub(super) fn sum(&self) -> Option<f64> {
        match self {
            StepTyped::Each(ListTyped::Numbers(lengths)) => {
                Some(Uneven::new(lengths.clone()).ends().last().copied().unwrap_or(0.0))
            }
            StepTyped::Even(_)
            | StepTyped::Growing { .. }
            | StepTyped::Controlled { .. }
            | StepTyped::Each(ListTyped::File { .. }) => None,
        }
    }
}
