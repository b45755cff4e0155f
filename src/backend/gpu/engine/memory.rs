//! Buffers of a problem, and their end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Buffers that go together: in a browser they are destroyed when the last clone is dropped, since it would keep their memory until it
/// collects garbage, and does not see there how much it is. Elsewhere each ends with its last handle.
#[derive(Clone, Default)]
pub struct Memory(Arc<Buffers>);

#[derive(Default)]
struct Buffers(Mutex<Vec<wgpu::Buffer>>);

impl Memory {
    /// Keeps this one as well.
    pub fn keep(&self, buffer: wgpu::Buffer) {
        if cfg!(target_arch = "wasm32") {
            self.0.lock().push(buffer);
        }
    }

    /// Keeps those of another as well, which keeps none of them.
    pub fn take(&self, other: Memory) {
        self.0.lock().append(&mut other.0.lock());
    }
}

impl Buffers {
    fn lock(&self) -> MutexGuard<'_, Vec<wgpu::Buffer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        self.lock().iter().for_each(wgpu::Buffer::destroy);
    }
}
