//! All memory that is taken on the device, and the errors where there is no room.
//!
//! Buffers are made here and nowhere else, so that no allocation ends a run by itself: where the device has no room the caller gets
//! an error, and may leave the work to the host.

use std::cell::Cell;

use bytemuck::Pod;

use super::{device::Device, memory::Memory};
use crate::backend::BackendError;

/// Allocations that are answered for together: what they add up to, and whether the device had room.
pub struct AllocationScope<'a> {
    device: &'a Device,
    /// Bytes that may be taken, where that is bounded.
    most: Option<u64>,
    bytes: Cell<u64>,
    made: Memory,
    room: wgpu::ErrorScopeGuard,
    validity: wgpu::ErrorScopeGuard,
}

impl<'a> AllocationScope<'a> {
    /// What `lay_out` makes, if the device had room for all of it. Everything that it allocates, binds and uploads is answered for.
    pub async fn allocate<T>(
        device: &'a Device,
        lay_out: impl FnOnce(&AllocationScope) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        Self::allocate_within(device, device.bounds.bytes, lay_out).await
    }

    async fn allocate_within<T>(
        device: &'a Device,
        most: Option<u64>,
        lay_out: impl FnOnce(&AllocationScope) -> Result<T, BackendError>,
    ) -> Result<T, BackendError> {
        let validity = device.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let room = device.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let scope = AllocationScope { device, most, bytes: Cell::new(0), made: Memory::default(), room, validity };
        let laid_out = lay_out(&scope);
        // The scopes are closed whatever came of it.
        let made = scope.close().await?;
        let laid_out = laid_out?;
        device.memory.take(made);
        Ok(laid_out)
    }

    /// The same for what the host can do as well: none if the device has no room for it.
    pub async fn afford<T>(
        device: &'a Device,
        lay_out: impl FnOnce(&AllocationScope) -> Result<T, BackendError>,
    ) -> Result<Option<T>, BackendError> {
        match Self::allocate_within(device, device.bounds.spare_bytes, lay_out).await {
            Ok(laid_out) => Ok(Some(laid_out)),
            Err(BackendError::OutOfMemory { .. } | BackendError::BelowLimit { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    pub fn device(&self) -> &'a Device {
        self.device
    }

    /// A storage buffer that can be uploaded to and read back.
    pub fn buffer(&self, label: &str, size: u64) -> wgpu::Buffer {
        use wgpu::BufferUsages;
        self.make(label, size, BufferUsages::STORAGE | BufferUsages::COPY_DST | BufferUsages::COPY_SRC)
    }

    /// A storage buffer that holds `numbers`.
    pub fn upload<W: Pod>(&self, label: &str, numbers: &[W]) -> wgpu::Buffer {
        let buffer = self.buffer(label, size_of_val(numbers) as u64);
        self.device.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(numbers));
        buffer
    }

    /// Room for the parameters of kernels.
    pub fn uniforms(&self, size: u64) -> wgpu::Buffer {
        self.make("uniforms", size, wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST)
    }

    /// What the host reads from.
    pub fn staging(&self, size: u64) -> wgpu::Buffer {
        self.make("staging", size, wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST)
    }

    fn make(&self, label: &str, size: u64, usage: wgpu::BufferUsages) -> wgpu::Buffer {
        self.bytes.set(self.bytes.get() + size);
        let descriptor = wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false };
        let buffer = self.device.device.create_buffer(&descriptor);
        self.made.keep(buffer.clone());
        buffer
    }

    /// The buffers, if every one was made.
    async fn close(self) -> Result<Memory, BackendError> {
        let adapter = self.device.summary.name.clone();
        let needed = self.bytes.get();
        let is_beyond = self.most.is_some_and(|most| needed > most);
        // Scopes are popped in reverse order, both before anything is awaited.
        let room = self.room.pop();
        let validity = self.validity.pop();
        if room.await.is_some() || is_beyond {
            return Err(BackendError::OutOfMemory { adapter, needed, available: "more than it could give".into() });
        }
        match validity.await {
            Some(error) => Err(BackendError::Device { adapter, reason: error.to_string() }),
            None => Ok(self.made),
        }
    }
}
