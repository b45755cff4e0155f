//! Why a problem is none.

use std::fmt::Display;

/// What no backend computes: a part of a [`Problem`](crate::problem::Problem) that contradicts the others, or means nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}; {remedy}")]
pub struct ProblemError {
    /// The path of the field, such as `model.attention.heads[0].query_key`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
    /// What to give instead.
    pub remedy: String,
}

/// A field of a problem, under the name that errors give it.
#[derive(Clone)]
pub(super) struct Place(String);

impl Place {
    pub fn new(name: &str) -> Self {
        Self(name.to_owned())
    }

    pub fn field(&self, name: &str) -> Self {
        Self(format!("{}.{name}", self.0))
    }

    pub fn entry(&self, index: usize) -> Self {
        Self(format!("{}[{index}]", self.0))
    }

    pub fn error(&self, problem: impl Into<String>, remedy: impl Into<String>) -> ProblemError {
        ProblemError { field: self.0.clone(), problem: problem.into(), remedy: remedy.into() }
    }

    /// Refuses a value that is outside its range.
    pub fn require(&self, holds: bool, value: impl Display, range: &str) -> Result<(), ProblemError> {
        if holds { Ok(()) } else { Err(self.error(format!("is {value}"), format!("it must be {range}"))) }
    }

    pub fn finite(&self, value: f64) -> Result<(), ProblemError> {
        self.require(value.is_finite(), value, "finite")
    }

    /// Refuses lists of another length, and numbers that are not finite.
    pub fn numbers(&self, numbers: &[f64], count: usize, meaning: &str) -> Result<(), ProblemError> {
        if numbers.len() != count {
            return Err(self.error(format!("has {} numbers", numbers.len()), format!("it needs {meaning} = {count}")));
        }
        match numbers.iter().position(|number| !number.is_finite()) {
            Some(index) => self.entry(index).finite(numbers[index]),
            None => Ok(()),
        }
    }

    /// The same, but for none at all.
    pub fn optional_numbers(&self, numbers: &[f64], count: usize, meaning: &str) -> Result<(), ProblemError> {
        if numbers.is_empty() { Ok(()) } else { self.numbers(numbers, count, &format!("none, or {meaning}")) }
    }
}
