//! What can go wrong with laws.

use crate::{experiment::ExperimentError, sweep::SweepError};

/// Why laws could not be tried.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum PapersError {
    #[error("{slug}: {problem}")]
    File { slug: String, problem: String },
    #[error("{place}: {problem}; {remedy}")]
    Formula { place: String, problem: String, remedy: &'static str },
    #[error(transparent)]
    Experiment(Box<ExperimentError>),
    #[error(transparent)]
    Sweep(Box<SweepError>),
}

impl From<ExperimentError> for PapersError {
    fn from(error: ExperimentError) -> Self {
        Self::Experiment(Box::new(error))
    }
}

impl From<SweepError> for PapersError {
    fn from(error: SweepError) -> Self {
        Self::Sweep(Box::new(error))
    }
}
