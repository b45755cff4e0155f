//! What went wrong on the device since it was opened: callbacks store it, and the next verb returns it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::backend::BackendError;

/// The first thing that went wrong; shared with the callbacks of the device.
#[derive(Clone, Debug, Default)]
pub struct Failure(Arc<Mutex<Option<BackendError>>>);

impl Failure {
    /// Remembers an error, unless one came before: what follows a failure is usually its consequence.
    pub fn set(&self, error: BackendError) {
        self.lock().get_or_insert(error);
    }

    /// The failure, if there was one.
    pub fn check(&self) -> Result<(), BackendError> {
        match self.lock().clone() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<BackendError>> {
        // The guarded value is replaced whole, so a panic elsewhere cannot leave it half-written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
