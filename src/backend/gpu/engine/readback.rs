//! Bytes from the device to the host, through one staging buffer that is made once.
//!
//! Mapping is awaited, because a browser cannot block. On native targets the recorder has waited for the device
//! before, so the future is ready at its first poll.

use bytemuck::Pod;

use super::{allocation::AllocationScope, recorder::Recorder, signal::Signal};
use crate::backend::BackendError;

/// The largest staging buffer; more is read in several rounds.
const MOST_BYTES: u64 = 64 << 20;

pub struct Readback {
    device: wgpu::Device,
    adapter: String,
    staging: wgpu::Buffer,
}

impl Readback {
    /// A staging buffer for reads of about `bytes`.
    pub fn new(scope: &AllocationScope, bytes: u64) -> Readback {
        let device = scope.device();
        let staging = scope.staging(bytes.clamp(16, MOST_BYTES).next_multiple_of(16));
        Readback { device: device.device.clone(), adapter: device.summary.name.clone(), staging }
    }

    /// `count` numbers of `buffer` from number `first`, after everything that is recorded.
    pub async fn numbers(
        &self,
        recorder: &mut Recorder,
        buffer: &wgpu::Buffer,
        first: usize,
        count: usize,
    ) -> Result<Vec<f32>, BackendError> {
        self.words(recorder, buffer, first, count).await
    }

    /// The same of words of four bytes, whatever they mean.
    pub async fn words<W: Pod>(
        &self,
        recorder: &mut Recorder,
        buffer: &wgpu::Buffer,
        first: usize,
        count: usize,
    ) -> Result<Vec<W>, BackendError> {
        const { assert!(size_of::<W>() == 4) };
        let end = (first + count) as u64 * 4;
        let mut words = Vec::with_capacity(count);
        let mut offset = first as u64 * 4;
        while offset < end {
            let size = (end - offset).min(self.staging.size());
            let mut encoder = self.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(buffer, offset, &self.staging, 0, size);
            recorder.finish(encoder)?;
            let mapping = self.map(size);
            recorder.drain().await?;
            mapping.await.map_err(|reason| self.refused(reason))?;
            let view =
                self.staging.slice(..size).get_mapped_range().map_err(|error| self.refused(error.to_string()))?;
            words.extend(bytemuck::pod_collect_to_vec::<u8, W>(&view));
            drop(view);
            self.staging.unmap();
            offset += size;
        }
        Ok(words)
    }

    fn refused(&self, reason: String) -> BackendError {
        BackendError::Device { adapter: self.adapter.clone(), reason }
    }

    /// Asks for the staging buffer; the future ends when the device has handed it over.
    fn map(&self, size: u64) -> impl Future<Output = Result<(), String>> + use<> {
        let signal = Signal::new();
        let callback = signal.clone();
        self.staging.slice(..size).map_async(wgpu::MapMode::Read, move |result| {
            callback.bring(result.map_err(|error| error.to_string()));
        });
        signal.wait()
    }
}
