//! Why a run came to nothing.

use std::path::PathBuf;

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
    /// It was asked to end, and has left a checkpoint at this layer-time in this folder, from which it can go on.
    #[error("interrupted at time {time}; `tokenfield resume {}` goes on from there", path.display())]
    Interrupted { path: PathBuf, time: f64 },
    #[error(
        "{}: its checkpoint was computed on {then}, and this is {now}, where the end would have other bytes; go on with \
         `tokenfield resume {} --backend NAME`, or begin again in another folder", path.display(), path.display()
    )]
    OtherMachine { path: PathBuf, then: String, now: String },
    #[error("{}: its checkpoint is of {then} precision, and this is {now}; leave --precision out, or begin again in another folder", path.display())]
    OtherPrecision { path: PathBuf, then: String, now: &'static str },
    /// The disk is in the way of a run that has begun.
    #[error("{message}")]
    Disk { message: String },
}

/// What the loop is stopped with when the caller wants it to end.
#[derive(Debug, thiserror::Error)]
#[error("stopped before its end")]
pub(super) struct Cancelled;
