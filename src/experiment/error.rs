//! What is wrong with an experiment, where, and what to write instead.

use std::{fmt, path::PathBuf};

use super::overrides::Override;

/// An experiment that cannot be run as written: `FILE: KEY = VALUE: PROBLEM; REMEDY`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub struct ExperimentError {
    origin: String,
    key: String,
    value: String,
    problem: String,
    remedy: String,
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
        match (self.key.as_str(), self.value.as_str()) {
            ("", _) => {}
            (key, "") => write!(f, "{key}: ")?,
            (key, value) => write!(f, "{key} = {value}: ")?,
        }
        write!(f, "{}; {}", self.problem, self.remedy)
    }
}

/// Where an experiment came from; every error about it is made here, so that all read alike.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Source {
    /// As the user named the file.
    pub name: String,
    /// What the paths inside are relative to.
    pub folder: PathBuf,
    pub overrides: Vec<Override>,
}

/// Long values are cut here when they are quoted; text, which may be a path, is not.
const QUOTED: usize = 60;

impl Source {
    pub fn error(
        &self,
        key: impl Into<String>,
        value: impl fmt::Display,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> ExperimentError {
        let key = key.into();
        let mut value = value.to_string();
        if !value.starts_with(['"', '\''])
            && let Some((cut, _)) = value.char_indices().nth(QUOTED)
        {
            value.truncate(cut);
            value.push_str("..");
        }
        let mut origin = self.name.clone();
        // The last override of a key is the one that counts.
        if let Some(culprit) = self.overrides.iter().rev().find(|o| o.touches(&key)) {
            origin.push_str(&format!(" with --set {culprit}"));
        }
        ExperimentError { origin, key, value, problem: problem.into(), remedy: remedy.into() }
    }
}
