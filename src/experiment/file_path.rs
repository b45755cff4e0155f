//! Paths of files that an experiment names.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer, ser::Error};
use toml::Value;

use super::{arrays::FILE, error::ExperimentError, source::Source};
use crate::initial::npy;

/// The path of a file, which is written down as an absolute one, or the name of an array in memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum FilePath {
    File(PathBuf),
    Memory(PathBuf),
}

impl Serialize for FilePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            FilePath::File(path) => {
                let unknown = |error| format!("{} cannot be made absolute: {error}", path.display());
                std::path::absolute(path).map_err(|error| S::Error::custom(unknown(error)))?.serialize(serializer)
            }
            FilePath::Memory(name) => format!("{FILE}:{}", name.display()).serialize(serializer),
        }
    }
}

impl FilePath {
    pub fn path(&self) -> &Path {
        match self {
            FilePath::File(path) | FilePath::Memory(path) => path,
        }
    }

    pub fn quoted(&self) -> Value {
        Value::from(self.path().to_string_lossy().as_ref())
    }

    /// The array that was typed at `key`.
    pub fn array(&self, key: &str, source: &Source) -> Result<npy::Array, ExperimentError> {
        source
            .arrays
            .read(self.path())
            .map_err(|npy::NpyError { problem, remedy }| source.error(key, self.quoted(), problem, remedy))
    }
}
