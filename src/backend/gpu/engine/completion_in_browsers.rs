//! When the device has done a submission, where nothing can block: the queue says so by itself.

use web_time::Instant;

use super::signal::Signal;

/// The end of a submission.
pub struct Completion(Signal<Instant>);

impl Completion {
    /// Of what has just been submitted to `queue`.
    pub fn of(queue: &wgpu::Queue, _: wgpu::SubmissionIndex) -> Self {
        let signal = Signal::new();
        let callback = signal.clone();
        queue.on_submitted_work_done(move || callback.bring(Instant::now()));
        Self(signal)
    }

    /// When the submission ended; nothing as long as it goes on.
    pub fn block(&self, _: &wgpu::Device) -> Result<Option<Instant>, wgpu::PollError> {
        Ok(self.0.take())
    }

    /// When the submission ended, as soon as it has.
    pub async fn wait(&self, _: &wgpu::Device) -> Result<Instant, wgpu::PollError> {
        Ok(self.0.clone().wait().await)
    }
}
