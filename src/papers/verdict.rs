//! What was measured beside what was predicted, and whether that is chance.

use super::{
    estimate::Estimate,
    expectation::{Expected, Quantity, Target},
    scope::Scope,
};
use crate::{
    expression::{Expression, ExpressionError},
    sweep::{Final, Finals},
};

/// What a law is held to in one cell, or over all of them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Row {
    /// The values of the axes, as `key = value`; of a rate the condition on its cells, empty for all.
    pub place: String,
    /// Where that is along an axis of numbers, if the law has one.
    pub at: Option<At>,
    /// The formula of what is measured.
    pub quantity: String,
    /// What it should be.
    pub predicted: Predicted,
    /// What it is, as the mean over replicas.
    pub measured: f64,
    /// Its 95 % interval; none for one replica.
    pub interval: Option<[f64; 2]>,
    /// Whether it is no further off than its bound and chance let it be.
    pub holds: bool,
}

/// A value of an axis, and those of the other axes.
#[derive(Clone, Debug, PartialEq)]
pub struct At {
    /// The dotted key of the axis.
    pub key: String,
    /// Its value.
    pub value: f64,
    /// The others, as `key = value`.
    pub others: String,
}

/// A number that is to be met, or a bound.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Predicted {
    /// To be met.
    Value(f64),
    /// From below.
    AtLeast(f64),
    /// From above.
    AtMost(f64),
}

/// A cell that was run.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) place: String,
    pub(super) at: Option<At>,
    pub(super) scope: Scope,
    pub(super) finals: Finals,
}

/// A name in a formula of an expectation that nobody knows.
#[derive(Debug)]
pub(super) struct UnknownName(pub(super) String);

/// The rows of an expectation.
pub(super) fn judge(expected: &Expected, cells: &[Measured]) -> Result<Vec<Row>, UnknownName> {
    let concerns = |cell: &&Measured| match &expected.condition {
        None => Ok(true),
        Some(condition) => condition.value(&|name| cell.scope.value(name)).map(|value| value != 0.0),
    };
    let mut concerned = Vec::new();
    for cell in cells {
        if concerns(&cell).map_err(unknown)? {
            concerned.push(cell);
        }
    }
    match &expected.quantity {
        Quantity::Mean(formula) => concerned
            .into_iter()
            .map(|cell| {
                let sample = sample(&cell.finals, formula, &cell.scope)?;
                let estimate =
                    if formula.is_condition() { Estimate::of_share(&sample) } else { Estimate::of(&sample) };
                let row = row(expected, estimate, &cell.scope)?;
                Ok(Row { place: cell.place.clone(), at: cell.at.clone(), ..row })
            })
            .collect(),
        Quantity::Rate { of, against } => {
            let Some(first) = concerned.first() else { return Ok(Vec::new()) };
            let mut points = Vec::new();
            for cell in &concerned {
                let key = cell.scope.value(against).ok_or_else(|| UnknownName(against.clone()))?;
                points.push((key, sample(&cell.finals, of, &cell.scope)?));
            }
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            Ok(vec![row(expected, Estimate::of_rate(&points), &first.scope)?])
        }
    }
}

fn unknown(error: ExpressionError) -> UnknownName {
    UnknownName(error.to_string())
}

/// The value of a formula for each replica, or once for those that share it.
fn sample(finals: &Finals, formula: &Expression, scope: &Scope) -> Result<Vec<f64>, UnknownName> {
    let column = |name: &str| finals.columns.iter().position(|column| column == name);
    let sharers = formula.names().into_iter().filter_map(column).map(|index| finals.sharers[index]).max();
    let value = |row: &Final| {
        let value_of = |name: &str| match column(name) {
            Some(index) => row.values.get(index)?.parse().ok(),
            None => scope.value(name),
        };
        formula.value(&value_of).map_err(unknown)
    };
    finals.rows.iter().step_by(sharers.unwrap_or(1)).map(value).collect()
}

/// Over all cells.
fn row(expected: &Expected, estimate: Estimate, scope: &Scope) -> Result<Row, UnknownName> {
    let at = |formula: &Expression, predicted: f64| {
        let value_of = |name: &str| if name == "predicted" { Some(predicted) } else { scope.value(name) };
        formula.value(&value_of).map_err(unknown)
    };
    let Estimate { mean: measured, error, interval } = estimate;
    let chance = expected.standard_errors * error.unwrap_or(0.0);
    let predicted = match &expected.target {
        Target::Value(formula) => Predicted::Value(at(formula, f64::NAN)?),
        Target::AtLeast(formula) => Predicted::AtLeast(at(formula, f64::NAN)?),
        Target::AtMost(formula) => Predicted::AtMost(at(formula, f64::NAN)?),
    };
    let (Predicted::Value(value) | Predicted::AtLeast(value) | Predicted::AtMost(value)) = predicted;
    let bound = expected.within.as_ref().map_or(Ok(0.0), |within| at(within, value))?;
    let allowed = bound.abs() + chance;
    let holds = match predicted {
        Predicted::Value(value) => (measured - value).abs() <= allowed,
        Predicted::AtLeast(value) => measured >= value - allowed,
        Predicted::AtMost(value) => measured <= value + allowed,
    };
    let place = expected.condition.as_ref().map_or(String::new(), Expression::to_string);
    Ok(Row { place, at: None, quantity: expected.text(), predicted, measured, interval, holds })
}

#[cfg(test)]
mod tests;
