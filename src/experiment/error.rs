//! What is wrong with an experiment, where, and what to write instead.

use std::fmt;

/// An experiment that cannot be run as written: `FILE: KEY = VALUE: PROBLEM; REMEDY`.
#[derive(Clone, Debug, Default, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub struct ExperimentError {
    pub(super) origin: String,
    pub(super) key: String,
    pub(super) value: Box<str>,
    pub(super) problem: String,
    pub(super) remedy: String,
    /// Where a key that is unknown stands.
    pub(super) unknown: Option<Box<UnknownKey>>,
}

/// A key that the table in which it stands does not have.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct UnknownKey {
    /// The dotted key of the table; empty for the file itself.
    pub table: String,
    pub key: String,
    /// The keys of the table.
    pub known: Vec<String>,
}

impl ExperimentError {
    /// The dotted key at fault, if the fault is in one.
    pub fn key(&self) -> Option<&str> {
        Some(self.key.as_str()).filter(|key| !key.is_empty())
    }
}

impl fmt::Display for ExperimentError {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        match (self.key.as_str(), &*self.value) {
            ("", _) => {}
            (key, "") => write!(f, "{key}: ")?,
            (key, value) => write!(f, "{key} = {value}: ")?,
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}
