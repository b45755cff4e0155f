//! Where an experiment came from.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use super::{
    arrays::{Arrays, FILE},
    error::ExperimentError,
    overrides::Override,
};

/// Where an experiment came from; every error about it is made here, so that all read alike.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Source {
    /// As the user named the file.
    pub name: String,
    /// What the paths inside are relative to.
    pub folder: PathBuf,
    pub overrides: Vec<Override>,
    /// In memory, by the names under which paths call them.
    pub arrays: Arrays,
}

/// Long values are cut here when they are quoted; text, which may be a path, is not.
const QUOTED: usize = 60;

impl Source {
    /// Of an experiment that is in no file.
    pub fn of_memory(arrays: Arrays, overrides: &[Override]) -> Self {
        Self { name: "experiment".into(), folder: PathBuf::new(), overrides: overrides.to_vec(), arrays }
    }

    /// Whether `path` is the name of an array in memory.
    pub fn has_array(&self, path: &Path) -> bool {
        self.arrays.get(path).is_some()
    }

    /// `path` as it is written down: absolute, and of an array in memory where the written experiment will have it.
    pub fn written(&self, path: &Path) -> Result<PathBuf, ExperimentError> {
        if self.has_array(path) {
            return Ok(format!("{FILE}:{}", path.display()).into());
        }
        std::path::absolute(path).map_err(|error| {
            let problem = format!("{} cannot be made absolute: {error}", path.display());
            self.error("", "", problem, "run in a folder that exists")
        })
    }

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
        ExperimentError {
            origin,
            key,
            value: value.into(),
            problem: problem.into(),
            remedy: remedy.into(),
            unknown: None,
        }
    }
}
