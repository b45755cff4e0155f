//! Paths of files that an experiment names.

use std::path::PathBuf;

use serde::{Serialize, Serializer, ser::Error};
use toml::Value;

use super::{error::ExperimentError, source::Source};
use crate::initial::npy;

/// The path of a file, which is written down as an absolute one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FilePath(pub PathBuf);

impl Serialize for FilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let FilePath(path) = self;
        let unknown = |error| format!("{} cannot be made absolute: {error}", path.display());
        std::path::absolute(path).map_err(|error| S::Error::custom(unknown(error)))?.serialize(serializer)
    }
}

impl FilePath {
    pub fn quoted(&self) -> Value {
        Value::from(self.0.to_string_lossy().as_ref())
    }

    /// The array of the file that was typed at `key`.
    pub fn array(&self, key: &str, source: &Source) -> Result<npy::Array, ExperimentError> {
        npy::read(&self.0)
            .map_err(|npy::NpyError { problem, remedy }| source.error(key, self.quoted(), problem, remedy))
    }
}
