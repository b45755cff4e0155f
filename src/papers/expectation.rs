//! Expectations, with their formulas read.

use super::{definition::formula, file::Expectation};
use crate::expression::Expression;

/// How many standard errors chance may make, unless typed: one in 16,000 right laws is told wrong.
const STANDARD_ERRORS: f64 = 4.0;

/// A number that is measured, and what it should be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) quantity: Quantity,
    pub(super) condition: Option<Expression>,
    pub(super) target: Target,
    pub(super) within: Option<Expression>,
    pub(super) standard_errors: f64,
}

/// What is measured.
#[derive(Clone, Debug)]
pub(super) enum Quantity {
    /// In each cell, the mean over replicas.
    Mean(Expression),
    /// Over all cells, d ln `of` / d ln `against`.
    Rate { of: Expression, against: String },
}

/// What it is held to.
#[derive(Clone, Debug)]
pub(super) enum Target {
    Value(Expression),
    AtLeast(Expression),
    AtMost(Expression),
}

/// A key of an expectation that is wrong.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) key: &'static str,
    pub(super) text: String,
    pub(super) problem: String,
}

impl Expected {
    pub(super) fn read(typed: &Expectation) -> Result<Self, Fault> {
        let Expectation {
            measured,
            rate,
            against,
            condition,
            predicted,
            at_least,
            at_most,
            within,
            standard_errors,
            reason,
        } = typed;
        let fault = |key, text: &Option<String>, problem: &str| Fault {
            key,
            text: text.clone().unwrap_or_default(),
            problem: problem.into(),
        };
        let read = |key, text: &String| formula(text).map_err(|problem| Fault { key, text: text.clone(), problem });
        let quantity = match (measured, rate, against) {
            (Some(text), None, None) => Quantity::Mean(read("measured", text)?),
            (None, Some(text), Some(against)) => Quantity::Rate { of: read("rate", text)?, against: against.clone() },
            (_, None, _) => {
                return Err(fault("measured", measured, "is wanted, without against; or rate and against"));
            }
            _ => return Err(fault("rate", rate, "needs against, the key of an axis, and no measured")),
        };
        let target = match (predicted, at_least, at_most) {
            (Some(text), None, None) => Target::Value(read("predicted", text)?),
            (None, Some(text), None) => Target::AtLeast(read("at-least", text)?),
            (None, None, Some(text)) => Target::AtMost(read("at-most", text)?),
            _ => return Err(fault("predicted", predicted, "needs to be one of predicted, at-least and at-most")),
        };
        if reason.is_none() && (within.is_some() || !matches!(target, Target::Value(_))) {
            return Err(fault("reason", reason, "is missing: why may the number be off by so much?"));
        }
        let within = within.as_ref().map(|text| read("within", text)).transpose()?;
        let condition = condition.as_ref().map(|text| read("where", text)).transpose()?;
        let standard_errors = standard_errors.unwrap_or(STANDARD_ERRORS);
        Ok(Self { quantity, condition, target, within, standard_errors })
    }

    /// What is measured, as typed.
    pub(super) fn text(&self) -> String {
        match &self.quantity {
            Quantity::Mean(formula) => formula.to_string(),
            Quantity::Rate { of, against } => format!("d ln({of}) / d ln({against})"),
        }
    }
}
