//! Why a sweep cannot be made.

use std::path::PathBuf;

use crate::{experiment::ExperimentError, record::RecordError, run::RunError};

/// Why a sweep cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum SweepError {
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Run(Box<RunError>),
    #[error("stopped before its end; run it again to go on")]
    Cancelled,
    /// It was asked to end, and goes on where it was when it is run again.
    #[error("{}: interrupted; run the same sweep again to go on", folder.display())]
    Interrupted { folder: PathBuf },
    #[error("{}: {problem}; remove the folder, and run the sweep again", path.display())]
    Cell { path: PathBuf, problem: String },
    #[error("{}: {problem}; choose another folder with --out, or move it away", path.display())]
    Foreign { path: PathBuf, problem: &'static str },
}

impl From<RunError> for SweepError {
    fn from(error: RunError) -> Self {
        Self::Run(Box::new(error))
    }
}
