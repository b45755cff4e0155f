//! What stands for MPI in a build without it, so that no other file asks how it was built.

use std::{convert::Infallible, sync::Arc};

use super::{Exchange, ExchangeError};

/// There is none.
pub struct Session(Infallible);

impl Session {
    /// Says that there is no MPI, and the remedy.
    pub fn begin() -> Result<Self, ExchangeError> {
        Err(ExchangeError::BuiltWithoutMpi)
    }

    /// The ranks of the run.
    pub fn exchange(&self) -> Arc<dyn Exchange> {
        match self.0 {}
    }

    /// Ends all processes of the run at once, with this code.
    pub fn abort(&self, _code: i32) -> ! {
        match self.0 {}
    }
}
