//! Why a run came to nothing.

use crate::{
    backend::BackendError, experiment::ExperimentError, limit::LimitError, record::RecordError,
    simulate::SimulateError,
};

/// Why a run came to nothing. What it left on disk says so as well.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum RunError {
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error("[reference]: {0}")]
    Limit(#[from] LimitError),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The equation could not be followed to its end. The message names the folder with the samples so far.
    #[error("{message}")]
    Simulate { source: SimulateError, message: String },
    /// The caller wanted it to end. The message names the folder with the samples so far.
    #[error("{message}")]
    Cancelled { message: String },
    /// The disk is in the way of a run that has begun.
    #[error("{message}")]
    Disk { message: String },
}

/// What the loop is stopped with when the caller wants it to end.
#[derive(Debug, thiserror::Error)]
#[error("stopped before its end")]
pub(super) struct Cancelled;
