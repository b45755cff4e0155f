//! What can go wrong with laws.

use crate::{experiment::ExperimentError, sweep::SweepError};

/// Why laws could not be tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum PapersError {
    #[error("{slug}: {problem}")]
    File { slug: String, problem: String },
    #[error("{slug}, law {law}: {key} = \"{text}\": {problem}; {remedy}")]
    Formula { slug: String, law: String, key: String, text: String, problem: String, remedy: &'static str },
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error(transparent)]
    Sweep(#[from] SweepError),
}
