//! Small replicas: workgroups keep them whole, and take many steps in one dispatch.

use std::f64::consts::LOG2_E;

use super::{heads, reduction};
use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{
        constants::{Constants, Shift},
        declared, params,
    },
    layout::{
        token_buffers::{SegmentBuffers, TokenBuffers},
        tune,
    },
};
use crate::{
    backend::BackendError,
    model::{Field, Head, Mask, Normalization},
    problem::Problem,
    scheme::Tableau,
};

/// Multiply-adds that take a thread as long as the rest of a stage beside its pairs: barriers, and the chain of a
/// reduction, a division and a square root for each component.
const STAGE_WORK: u32 = 64;
const COMPONENT_WORK: u32 = 16;

/// Stages that the kernel has room for.
const STAGES: usize = 4;

pub struct Advance {
    constants: Constants,
    /// The kernel, bound to the buffers of each segment.
    segments: Vec<BoundKernel<params::Advance>>,
    heads: u32,
    normalization: Normalization,
    mask: Mask,
    peak: f32,
    /// Steps of one dispatch, if that is not to be measured.
    steps: Option<u64>,
}

impl Advance {
    /// Nothing if the steps of `problem` must go stage by stage.
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        buffers: &TokenBuffers,
        recorder: &Recorder,
    ) -> Option<Advance> {
        let device = scope.device();
        let constants = constants(device, problem, buffers)?;
        let attention = &problem.model.attention;
        let pipeline = Pipeline::<declared::Advance>::new(device, &constants);
        // All heads have the betas of the first.
        let head = attention.heads.first()?;
        let scale = |replica| (attention.beta_in(head, replica) * LOG2_E) as f32;
        let scales = scope.upload("scales", &(0..problem.tokens.shape.replicas).map(scale).collect::<Vec<_>>());
        let table = scope.upload("heads", &heads::table(problem));
        let bind = |segment_buffers: &SegmentBuffers| {
            pipeline.bind(
                device,
                recorder.uniforms(),
                [&segment_buffers.state, &segment_buffers.weights, &scales, &table],
            )
        };
        Some(Advance {
            constants,
            segments: buffers.segments.iter().map(bind).collect(),
            heads: attention.heads.len() as u32,
            normalization: attention.normalization,
            mask: attention.mask,
            peak: heads::common_peak(problem).unwrap_or(0.0) as f32,
            steps: device.bounds.steps,
        })
    }

    /// Records as many steps as a dispatch should hold, at most `most`, and returns how many; none if `tableau` has
    /// other stages than the scheme of the problem.
    pub fn record(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        tableau: &Tableau,
        h: f64,
        field: Field,
        most: u64,
    ) -> Result<u64, BackendError> {
        if tableau.stages() != self.constants.stages as usize {
            return Ok(0);
        }
        let groups = |replicas: usize| replicas.div_ceil(self.constants.tiles as usize) as u64;
        let largest = buffers
            .segments
            .iter()
            .map(|segment_buffers| groups(segment_buffers.segment.replicas))
            .max()
            .unwrap_or(0);
        // Conversions from float saturate, so an enormous budget means all of it.
        let affordable = (recorder.dispatch_work() / (self.step_work() * largest as f64)) as u64;
        let steps = self.steps.unwrap_or(affordable).clamp(1, most.min(u32::MAX.into()));
        let rows = rows(tableau, h);
        for (bound, segment_buffers) in self.segments.iter().zip(&buffers.segments) {
            let segment = &segment_buffers.segment;
            let groups = groups(segment.replicas);
            let work = self.step_work() * steps as f64;
            recorder.record_parts(bound, groups, work * groups as f64, |part| params::Advance {
                first_group: part.start,
                end_group: part.end,
                replicas: segment.replicas as u32,
                first_replica: segment.first_replica as u32,
                count: segment.tokens as u32,
                sources: segment.sources as u32,
                steps: steps as u32,
                heads: self.heads,
                softmax: u32::from(self.normalization == Normalization::Softmax),
                tangent: u32::from(field == Field::Tangent),
                reach: reduction::reach(self.mask, segment, segment),
                peak: self.peak,
                rows,
            })?;
        }
        Ok(steps)
    }

    /// Multiply-adds of one step of one workgroup: all of its threads meet all keys of a tile under every head.
    fn step_work(&self) -> f64 {
        let Constants { dim, threads, queries, tile, stages, .. } = self.constants;
        let head = tile * (2 * dim + 8) + 2 * dim * dim;
        let query = self.heads * head + dim * COMPONENT_WORK;
        f64::from(threads * stages) * f64::from(queries * query + STAGE_WORK)
    }
}

/// The constants of the kernel, if the problem is small enough for it: a workgroup can keep a replica, segments are whole replicas,
/// and the kernel has room for the stages of the scheme.
fn constants(device: &Device, problem: &Problem, buffers: &TokenBuffers) -> Option<Constants> {
    let shape = problem.tokens.shape;
    let stages = problem.scheme.tableau().stages();
    let whole = buffers.segments.iter().all(|segment_buffers| segment_buffers.segment.tokens == shape.count);
    let refused = device.bounds.steps == Some(0);
    let attention = &problem.model.attention;
    // The kernel has a table of matrices that all replicas share.
    let has_own = attention.heads.iter().any(Head::has_matrices_of_replicas);
    if !whole || refused || has_own || stages > STAGES {
        return None;
    }
    let shift = if heads::common_peak(problem).is_some() { Shift::Fixed } else { Shift::Running };
    tune::small(shape, device.kind(), stages, shift, heads::visibility(attention), heads::matrices(attention))
}

/// The tableau times the step: row s makes the point that follows stage s, and the last row the next state.
fn rows(tableau: &Tableau, h: f64) -> [[f32; STAGES]; STAGES] {
    let mut rows = [[0.0; STAGES]; STAGES];
    let following = tableau.a.iter().skip(1).copied().chain([tableau.b]);
    for (row, entries) in rows.iter_mut().zip(following) {
        row.iter_mut().zip(entries).for_each(|(to, entry)| *to = (h * entry) as f32);
    }
    rows
}
