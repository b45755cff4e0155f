//! When the device has done a submission: the host blocks until then.

use web_time::Instant;

/// The end of a submission.
pub struct Completion(wgpu::SubmissionIndex);

impl Completion {
    /// Of what has just been submitted to `queue` as number `index`.
    pub fn of(_: &wgpu::Queue, index: wgpu::SubmissionIndex) -> Self {
        Self(index)
    }

    /// When the submission ended; where the host cannot block, nothing as long as it goes on.
    pub fn block(&self, device: &wgpu::Device) -> Result<Option<Instant>, wgpu::PollError> {
        let wait = wgpu::PollType::Wait { submission_index: Some(self.0.clone()), timeout: None };
        device.poll(wait)?;
        Ok(Some(Instant::now()))
    }

    /// When the submission ended, as soon as it has.
    pub async fn wait(&self, device: &wgpu::Device) -> Result<Instant, wgpu::PollError> {
        self.block(device).map(|end| end.unwrap_or_else(Instant::now))
    }
}
