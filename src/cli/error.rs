//! Why a command did not do what was asked, and what it exits with.

use std::process::ExitCode;

use tokenfield::{
    backend::BackendError,
    exchange::ExchangeError,
    experiment::ExperimentError,
    plot::PlotError,
    record::{RecordError, is_of_path},
    run::RunError,
    sweep::SweepError,
};

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Experiment(#[from] ExperimentError),
    #[error("{0}")]
    Input(String),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(transparent)]
    Plot(#[from] PlotError),
    #[error("{0}")]
    Failed(String),
    /// The disk is in the way of a run that has begun.
    #[error("{0}")]
    Disk(String),
    /// It was asked to end, and can go on.
    #[error("{0}")]
    Interrupted(String),
    #[error("nobody reads what this command prints")]
    Unread,
    #[error("the first of several processes says what is wrong")]
    SaidByFirst,
    #[error("clap has said what is wrong with the command line")]
    Typed,
}

impl From<RunError> for CommandError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Experiment(error) => Self::Experiment(error),
            error @ RunError::Limit(_) => Self::Input(error.to_string()),
            RunError::Backend(error) => Self::Backend(error),
            RunError::Record(error) => Self::Record(error),
            RunError::Disk { message } => Self::Disk(message),
            error @ RunError::Interrupted { .. } => Self::Interrupted(error.to_string()),
            error @ (RunError::OtherMachine { .. } | RunError::OtherPrecision { .. }) => {
                Self::Input(error.to_string())
            }
            error => Self::Failed(error.to_string()),
        }
    }
}

impl From<SweepError> for CommandError {
    fn from(error: SweepError) -> Self {
        match error {
            SweepError::Experiment(error) => Self::Experiment(error),
            SweepError::Record(error) => Self::Record(error),
            SweepError::Run(error) => (*error).into(),
            error @ SweepError::Interrupted { .. } => Self::Interrupted(error.to_string()),
            error @ SweepError::Foreign { .. } => Self::Input(error.to_string()),
            error => Self::Failed(error.to_string()),
        }
    }
}

impl CommandError {
    /// 2 where the input is wrong and nothing was done, 1 where the work failed, and 75, by which schedulers know that it is worth another
    /// start, where it was interrupted.
    pub fn exit_code(&self) -> ExitCode {
        let input = match self {
            Self::Unread | Self::SaidByFirst => return ExitCode::SUCCESS,
            Self::Interrupted(_) => return ExitCode::from(75),
            Self::Experiment(_) | Self::Input(_) | Self::Typed => true,
            Self::Record(
                RecordError::Occupied { .. }
                | RecordError::Held { .. }
                | RecordError::NoRoom { .. }
                | RecordError::NoCheckpoint { .. }
                | RecordError::Misfit { .. }
                | RecordError::NoLocks { .. },
            ) => true,
            Self::Record(RecordError::Write { source, .. }) | Self::Plot(PlotError::Write { source, .. }) => {
                is_of_path(source)
            }
            Self::Plot(PlotError::Draw { .. }) => false,
            Self::Plot(_) => true,
            Self::Backend(error) => matches!(
                error,
                BackendError::TooManyHarmonics
                    | BackendError::NoHarmonics { .. }
                    | BackendError::Shortage(_)
                    | BackendError::BuiltWithoutGpu
                    | BackendError::TooManyRanks { .. }
                    | BackendError::Exchange(ExchangeError::BuiltWithoutMpi)
            ),
            Self::Record(_) | Self::Failed(_) | Self::Disk(_) => false,
        };
        ExitCode::from(if input { 2 } else { 1 })
    }
}
