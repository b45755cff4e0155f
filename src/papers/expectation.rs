//! Expectations, with their formulas read.

use super::{definition::formula, file::Expectation, scope::Scope};
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

    /// The first formula that has a name which is neither of a column, where it is measured, nor known to `scope`.
    pub(super) fn unknown(&self, columns: &[String], scope: &Scope) -> Option<Fault> {
        let Self { quantity, condition, target, within, standard_errors: _ } = self;
        let (key, measured) = match quantity {
            Quantity::Mean(formula) => ("measured", formula),
            Quantity::Rate { of, against: _ } => ("rate", of),
        };
        let (Target::Value(target) | Target::AtLeast(target) | Target::AtMost(target)) = target;
        let is_column = |name: &str| columns.iter().any(|column| column == name);
        let formulas = [
            (key, Some(measured)),
            ("where", condition.as_ref()),
            ("predicted", Some(target)),
            ("within", within.as_ref()),
        ];
        let fault = |(own, formula): (&'static str, Option<&Expression>)| {
            let is_known = |name: &str| {
                scope.value(name).is_some() || own == key && is_column(name) || own == "within" && name == "predicted"
            };
            let formula = formula?;
            let name = formula.names().into_iter().find(|name| !is_known(name))?;
            Some(Fault { key: own, text: formula.to_string(), problem: format!("knows no {name}") })
        };
        formulas.into_iter().find_map(fault)
    }

    /// What is measured, as typed.
    pub(super) fn text(&self) -> String {
        match &self.quantity {
            Quantity::Mean(formula) => formula.to_string(),
            Quantity::Rate { of, against } => format!("d ln({of}) / d ln({against})"),
        }
    }
}
