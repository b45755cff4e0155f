//! What of a manifest decides whether its folder can be trusted.

use std::{collections::BTreeMap, fs, path::Path};

use serde::{Deserialize, Serialize};

use super::{fingerprint::Fingerprint, group::LIST};

pub(super) const NAME: &str = "manifest.json";
/// The files of a record, the one first that vouches for the others, and the one last that says whose they are: they are removed in this
/// order. No other file of a run folder is ever removed, but for the group that [`LIST`] lists.
pub(super) const FILES: [&str; 11] = [
    NAME,
    "samples.csv",
    "results.csv",
    "tokens.npy",
    "trajectory.npy",
    "trajectory_times.npy",
    "trajectory_tokens.npy",
    LIST,
    "attention.npy",
    "arrays.safetensors",
    "experiment.toml",
];

/// Those that a run has when it is complete.
pub(super) const ENDS: [&str; 7] = [
    "results.csv",
    "tokens.npy",
    "trajectory.npy",
    "trajectory_times.npy",
    "trajectory_tokens.npy",
    LIST,
    "attention.npy",
];

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Running,
    /// By itself, with a checkpoint.
    Interrupted,
    Complete,
    Failed,
}

/// As it is read: what decides whether a folder can be trusted.
#[derive(Debug, Deserialize)]
pub(super) struct Read {
    pub(super) version: String,
    pub(super) precision: String,
    pub(super) status: Status,
    pub(super) error: Option<String>,
    /// Manifests of earlier versions lack it.
    pub(super) files: Option<BTreeMap<String, Fingerprint>>,
}

impl Read {
    /// The manifest of `folder`, or what is wrong with it.
    pub(super) fn of(folder: &Path) -> Result<Self, String> {
        let bytes = fs::read(folder.join(NAME)).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => "it is missing".to_owned(),
            _ => format!("it cannot be read: {error}"),
        })?;
        match bytes.is_empty() {
            true => Err("it is empty".into()),
            false => serde_json::from_slice(&bytes).map_err(|error| format!("it is no manifest: {error}")),
        }
    }
}
