//! Numbers of the equation, constant or not: `1.0`, `{ times = [..], values = [..] }`, piecewise linear in layer-time, or
//! `{ layers = [..] }`, one a step.

use serde::Serialize;
use toml::Value;

use super::{
    error::ExperimentError,
    section::{Entry, Section},
    shared::Shared,
};
use crate::{
    model::{NumberSchedule, Ramp},
    problem::Schedule,
};

pub(super) const NUMBER: &[&str] = &["times", "values", "layers"];

/// What a number may be, in words and as a condition on finite ones.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub words: &'static str,
    pub holds: fn(f64) -> bool,
}

pub(super) const FINITE: Range = Range { words: "finite", holds: |_| true };
pub(super) const NOT_NEGATIVE: Range = Range { words: "finite and at least 0", holds: |number| number >= 0.0 };
pub(super) const POSITIVE: Range = Range { words: "finite and greater than 0", holds: |number| number > 0.0 };

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub(crate) enum NumberTyped {
    Constant(f64),
    Ramp { times: Vec<f64>, values: Vec<f64> },
    Layers { layers: Vec<f64> },
}

/// A number at all times, or how it changes.
pub(crate) enum ResolvedNumber {
    Constant(f64),
    Changing(NumberSchedule),
}

pub(super) fn read(entry: &Entry, range: Range) -> Result<NumberTyped, ExperimentError> {
    if entry.is_table() {
        return read_changing(&entry.section(NUMBER)?, range);
    }
    entry.number(range.words, range.holds).map(NumberTyped::Constant)
}

/// The forms of a number that changes.
pub(super) fn read_changing(
    section: &Section,
    Range { words, holds }: Range,
) -> Result<NumberTyped, ExperimentError> {
    let numbers = |entry: &Entry| {
        let numbers = entry.numbers()?;
        let each = || entry.error(format!("must be {words}, each of them"));
        if numbers.iter().all(|number| holds(*number)) { Ok(numbers) } else { Err(each()) }
    };
    if let Some(layers) = section.optional("layers", "[1.0, 0.5]") {
        section.forbid(&["times", "values"], "stands beside layers", "write layers, or times and values")?;
        return Ok(NumberTyped::Layers { layers: numbers(&layers)? });
    }
    let typed = [section.required("times", "[0.0, 10.0]")?, section.required("values", "[1.0, 8.0]")?];
    let (times, values) = (typed[0].numbers()?, numbers(&typed[1])?);
    if times.is_empty() || !times.is_sorted_by(|a, b| a < b) {
        return Err(typed[0].error("must be one or more layer-times in ascending order"));
    }
    if values.len() != times.len() {
        return Err(typed[1].error_with(
            format!("has {} numbers, and there are {} times", values.len(), times.len()),
            format!("write {} numbers", times.len()),
        ));
    }
    Ok(NumberTyped::Ramp { times, values })
}

impl NumberTyped {
    /// Those between which it stays.
    pub fn values(&self) -> Vec<f64> {
        match self {
            NumberTyped::Constant(number) => vec![*number],
            NumberTyped::Ramp { times: _, values } | NumberTyped::Layers { layers: values } => values.clone(),
        }
    }

    pub fn resolve(
        &self,
        key: &str,
        schedule: &Schedule,
        shared: &Shared,
    ) -> Result<ResolvedNumber, ExperimentError> {
        Ok(match self {
            NumberTyped::Constant(number) => ResolvedNumber::Constant(*number),
            NumberTyped::Ramp { times, values } => {
                ResolvedNumber::Changing(Ramp { times: times.clone(), values: values.clone() }.into())
            }
            NumberTyped::Layers { layers } => {
                if layers.is_empty() || (layers.len() as u64) < schedule.steps {
                    let problem = format!("has {} numbers, and there are {} steps", layers.len(), schedule.steps);
                    let (key, typed) = (format!("{key}.layers"), Value::from(layers.clone()));
                    let remedy = "write one number a step, or a smaller time.end";
                    return Err(shared.source.error(key, typed, problem, remedy));
                }
                ResolvedNumber::Changing(NumberSchedule::Layers(layers.clone()))
            }
        })
    }
}
