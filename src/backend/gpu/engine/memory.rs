//! Buffers of a problem, and their end.

use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that go together: they are destroyed when the last clone is dropped. A browser would keep their memory until it collects garbage,
/// and does not see there how much it is.
#[derive(Clone, Default)]
pub struct Memory(Arc<Buffers>);

#[derive(Default)]
struct Buffers(Mutex<Vec<wgpu::Buffer>>);

impl Memory {
    /// Keeps these as well.
    pub fn keep(&self, buffers: Vec<wgpu::Buffer>) {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner).extend(buffers);
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        let buffers = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        buffers.iter().for_each(wgpu::Buffer::destroy);
    }
}
