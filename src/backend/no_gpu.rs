//! Stands where graphics adapters are in builds with the feature `gpu`: there are none, and whoever asks for one is told why.

use super::{
    Backend, BackendError, Precision,
    adapter::{AdapterSummary, Choice},
};
use crate::problem::Problem;

/// An opened graphics device; none can be opened.
#[derive(Clone)]
pub enum Device {}

impl Device {
    /// Fails with `BuiltWithoutGpu`.
    pub async fn open(_: Choice, _: Precision) -> Result<Device, BackendError> {
        Err(BackendError::BuiltWithoutGpu)
    }

    /// The adapter that was opened.
    pub fn summary(&self) -> &AdapterSummary {
        match *self {}
    }

    /// Another one like it.
    pub async fn reopened(&self) -> Result<Device, BackendError> {
        match *self {}
    }

    /// The same one.
    pub fn giving_way(self) -> Device {
        self
    }

    /// Whether it leaves anything to the CPU.
    pub fn gives_way(&self) -> bool {
        match *self {}
    }

    /// The precision of the arithmetic.
    pub fn precision(&self) -> Precision {
        match *self {}
    }

    /// `problem` on this device.
    pub async fn backend(&self, _: &Problem) -> Result<Box<dyn Backend>, BackendError> {
        match *self {}
    }
}

/// None.
pub async fn adapters() -> Vec<AdapterSummary> {
    Vec::new()
}
