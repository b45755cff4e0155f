//! The list of dispatches that wait to be submitted.
//!
//! Verbs record; the device gets the list when it is worth a submission or when a result is read. Each dispatch
//! has its own slot of the uniform buffer, written once for the whole list.

use std::{collections::VecDeque, ops::Range};

use web_time::Instant;

use super::{
    allocation::AllocationScope,
    completion::Completion,
    failure::Failure,
    pace::{Pace, Work},
    pipelines::BoundKernel,
};
use crate::backend::BackendError;
use crate::backend::gpu::kernels::{params::Params, sizes::THREADS};

/// Dispatches of one submission at most.
const SLOTS: usize = 1024;
/// Bytes that the parameters of every kernel fit.
const SLOT: u32 = 128;
/// Submissions that the device may have before the host waits for the oldest.
const IN_FLIGHT: usize = 3;

/// One dispatch, ready but for its submission.
struct Dispatch {
    pipeline: wgpu::ComputePipeline,
    group: wgpu::BindGroup,
    grid: [u32; 2],
}

/// A submission that the device has not answered yet.
struct Submitted {
    completion: Completion,
    work: f64,
    known: Work,
    start: Instant,
}

pub struct Recorder {
    device: wgpu::Device,
    queue: wgpu::Queue,
    failure: Failure,
    adapter: String,
    grid: u32,
    slot_bytes: usize,
    uniforms: wgpu::Buffer,
    /// What `uniforms` will hold for the recorded dispatches.
    params: Vec<u8>,
    dispatches: Vec<Dispatch>,
    work: f64,
    known: Work,
    pace: Pace,
    in_flight: VecDeque<Submitted>,
}

impl Recorder {
    pub fn new(scope: &AllocationScope) -> Recorder {
        let device = scope.device();
        let slot_bytes = device.device.limits().min_uniform_buffer_offset_alignment.max(SLOT) as usize;
        let uniforms = scope.uniforms((SLOTS * slot_bytes) as u64);
        Recorder {
            device: device.device.clone(),
            queue: device.queue.clone(),
            failure: device.failure.clone(),
            adapter: device.summary.name.clone(),
            grid: device.grid(),
            slot_bytes,
            uniforms,
            params: Vec::with_capacity(SLOTS * slot_bytes),
            dispatches: Vec::with_capacity(SLOTS),
            work: 0.0,
            known: Work::Done,
            pace: Pace::new(device.bounds.dispatch_work),
            in_flight: VecDeque::new(),
        }
    }

    /// The buffer to bind as the uniforms of every kernel.
    pub fn uniforms(&self) -> &wgpu::Buffer {
        &self.uniforms
    }

    /// The work that one dispatch may hold, in multiply-adds.
    pub fn dispatch_work(&self) -> f64 {
        self.pace.work()
    }

    /// Workgroups that one dispatch may hold.
    pub fn dispatch_groups(&self) -> u64 {
        u64::from(self.grid) * u64::from(self.grid)
    }

    /// Records a dispatch of `groups` workgroups that is about `work` multiply-adds.
    pub fn record<P: Params>(
        &mut self,
        bound: &BoundKernel<P>,
        params: &P,
        groups: u64,
        work: f64,
    ) -> Result<(), BackendError> {
        const { assert!(size_of::<P>() <= SLOT as usize) };
        if self.dispatches.len() == SLOTS || self.work + work > 1.5 * self.pace.work() {
            self.submit()?;
        }
        let grid = self.grid_of(groups)?;
        let slot = self.dispatches.len() * self.slot_bytes;
        self.params.resize(slot, 0);
        self.params.extend_from_slice(bytemuck::bytes_of(params));
        self.dispatches.push(Dispatch { pipeline: bound.pipeline.clone(), group: bound.group.clone(), grid });
        self.work += work;
        Ok(())
    }

    /// Records a kernel of one thread a row, that is about `work` multiply-adds.
    pub fn record_rows<P: Params>(
        &mut self,
        bound: &BoundKernel<P>,
        params: &P,
        rows: usize,
        work: f64,
    ) -> Result<(), BackendError> {
        self.record(bound, params, rows.div_ceil(THREADS as usize) as u64, work)
    }

    /// Records `groups` workgroups that are about `work` multiply-adds, in as many dispatches as that takes. Each has the
    /// parameters that `params` makes of its workgroups.
    pub fn record_parts<P: Params>(
        &mut self,
        bound: &BoundKernel<P>,
        groups: u64,
        work: f64,
        params: impl Fn(Range<u32>) -> P,
    ) -> Result<(), BackendError> {
        for part in self.cut(groups, work) {
            let count = part.end - part.start;
            // Kernels count workgroups in 32 bits.
            let params = params(part.start as u32..part.end as u32);
            self.record(bound, &params, count, work * count as f64 / groups as f64)?;
        }
        Ok(())
    }

    /// Notes that the device may skip some of the work recorded last, so that the submission teaches no faster pace.
    pub fn mark_skippable(&mut self) {
        self.known = Work::AtMost;
    }

    /// Ranges of at most a dispatch's work that together are all `groups` workgroups of `work` multiply-adds.
    fn cut(&self, groups: u64, work: f64) -> impl Iterator<Item = Range<u64>> + use<> {
        let affordable = self.pace.work() / work * groups as f64;
        // Conversions from float saturate, so an enormous budget means all of it.
        let step = (affordable as u64).clamp(1, self.dispatch_groups());
        (0..groups).step_by(step as usize).map(move |first| first..groups.min(first + step))
    }

    /// The error for work that the kernels cannot do.
    pub fn refused(&self, reason: String) -> BackendError {
        BackendError::Device { adapter: self.adapter.clone(), reason }
    }

    /// Hands the recorded dispatches to the device, and waits if it has too many already.
    pub fn submit(&mut self) -> Result<(), BackendError> {
        self.failure.check()?;
        if self.dispatches.is_empty() {
            return Ok(());
        }
        self.queue.write_buffer(&self.uniforms, 0, &self.params);
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            for (slot, dispatch) in self.dispatches.drain(..).enumerate() {
                pass.set_pipeline(&dispatch.pipeline);
                pass.set_bind_group(0, &dispatch.group, &[(slot * self.slot_bytes) as u32]);
                pass.dispatch_workgroups(dispatch.grid[0], dispatch.grid[1], 1);
            }
        }
        let start = Instant::now();
        let index = self.queue.submit([encoder.finish()]);
        let completion = Completion::of(&self.queue, index);
        self.in_flight.push_back(Submitted { completion, work: self.work, known: self.known, start });
        self.params.clear();
        (self.work, self.known) = (0.0, Work::Done);
        while self.in_flight.len() > IN_FLIGHT
            && let Some(oldest) = self.in_flight.front()
            && let Some(end) = oldest.completion.block(&self.device).map_err(|error| self.lost(&error))?
        {
            self.learn_from_oldest(end);
        }
        self.failure.check()
    }

    /// Submits `encoder` after everything recorded.
    pub fn finish(&mut self, encoder: wgpu::CommandEncoder) -> Result<(), BackendError> {
        self.submit()?;
        let start = Instant::now();
        let index = self.queue.submit([encoder.finish()]);
        let completion = Completion::of(&self.queue, index);
        self.in_flight.push_back(Submitted { completion, work: 0.0, known: Work::Done, start });
        Ok(())
    }

    /// Fills a buffer with zeros, after everything recorded; zeros that the host wrote would take as much room again.
    pub fn clear(&mut self, buffer: &wgpu::Buffer) -> Result<(), BackendError> {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.clear_buffer(buffer, 0, None);
        self.finish(encoder)
    }

    /// Waits until the device has answered every submission.
    pub async fn drain(&mut self) -> Result<(), BackendError> {
        while let Some(oldest) = self.in_flight.front() {
            let end = oldest.completion.wait(&self.device).await.map_err(|error| self.lost(&error))?;
            self.learn_from_oldest(end);
        }
        self.failure.check()
    }

    fn learn_from_oldest(&mut self, end: Instant) {
        if let Some(Submitted { work, known, start, .. }) = self.in_flight.pop_front() {
            self.pace.learn(work, known, start, end);
        }
    }

    /// What ended the wait for the device.
    fn lost(&self, error: &wgpu::PollError) -> BackendError {
        let unknown = || BackendError::DeviceLost { adapter: self.adapter.clone(), reason: error.to_string() };
        self.failure.check().err().unwrap_or_else(unknown)
    }

    /// A grid of at least `groups` workgroups, as square as its rows need to be.
    fn grid_of(&self, groups: u64) -> Result<[u32; 2], BackendError> {
        if groups > self.dispatch_groups() {
            return Err(BackendError::BelowLimit {
                adapter: self.adapter.clone(),
                limit: "max_compute_workgroups_per_dimension",
                needed: groups.isqrt() + 1,
                available: self.grid.into(),
            });
        }
        let rows = groups.div_ceil(self.grid.into()).max(1);
        // Both factors are at most the grid, which is an u32.
        Ok([groups.div_ceil(rows) as u32, rows as u32])
    }
}
