//! Why a simulation does not reach its end.

use std::error::Error;

use super::control::StepError;
use crate::{backend::BackendError, limit::LimitError, transport::TransportError};

/// Why a simulation did not reach its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the message of each variant says what it is and names its fields")]
pub enum SimulateError {
    #[error(transparent)]
    Backend(#[from] BackendError),
    #[error(
        "the tokens of replica {replica} are no longer finite at time {time}; \
         take a smaller time.step or attention.beta, or softmax normalization"
    )]
    NotFinite { replica: usize, time: f64 },
    #[error(transparent)]
    Step(#[from] StepError),
    #[error(transparent)]
    Distance(#[from] TransportError),
    #[error("[reference]: {0}")]
    Limit(#[from] LimitError),
    #[error("stopped by its observer: {0}")]
    Observer(#[source] Box<dyn Error + Send + Sync>),
}

impl SimulateError {
    /// What is said of a device that was lost, if that ended it.
    pub fn device_lost(&self) -> Option<&BackendError> {
        match self {
            Self::Backend(error) | Self::Step(StepError::Backend(error)) => {
                matches!(error, BackendError::DeviceLost { .. }).then_some(error)
            }
            _ => None,
        }
    }

    /// Whether it ended because somebody asked for it.
    pub fn is_cancelled(&self) -> bool {
        matches!(
            self,
            Self::Backend(BackendError::Cancelled) | Self::Step(StepError::Backend(BackendError::Cancelled))
        )
    }
}
