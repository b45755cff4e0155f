//! The series of every head at the queries of one set of buffers.

use super::coefficients::{Coefficients, Radial};
use crate::backend::gpu::{
    engine::{
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{
        constants::Constants,
        declared,
        kernel::Kernel,
        params,
        sizes::{SERIES_QUERIES, THREADS},
    },
    layout::{
        points::{POINTS, View},
        token_buffers::{SegmentBuffers, TokenBuffers},
    },
};
use crate::{
    backend::{BackendError, Point},
    model::Head,
    problem::Problem,
};

/// What all series are made of.
pub struct Expansion<'a> {
    /// One a head.
    pub heads: &'a [Coefficients],
    /// The least Z / unit that a series met, among those below `least`.
    pub worst: &'a wgpu::Buffer,
    pub least: f32,
}

pub struct Series {
    heads: Vec<HeadSeries>,
    /// Queries of one workgroup.
    group_queries: usize,
}

/// The series of one head: what does not change from one dispatch to the next, and its bindings by point and segment.
struct HeadSeries {
    params: params::Series,
    /// Multiply-adds for one query.
    work: f64,
    passes: [Vec<BoundKernel<params::Series>>; 2],
}

impl Series {
    pub fn new<'q>(
        device: &Device,
        problem: &Problem,
        constants: &Constants,
        expansion: &'q Expansion<'q>,
        queries: &'q TokenBuffers,
        recorder: &Recorder,
    ) -> Series {
        let head = |(head, coefficients): (&Head, &'q Coefficients)| {
            let degrees = match coefficients.radial {
                Radial::Shared { .. } => 0,
                Radial::Varying => coefficients.degree as u32 + 1,
            };
            let buffers = |segment_buffers: &'q SegmentBuffers, point| {
                let from = if degrees == 0 { segment_buffers.tokens(point) } else { &queries.operands };
                let Coefficients { values, tables, .. } = coefficients;
                [from, values, tables, &queries.partials, expansion.worst]
            };
            let constants = Constants { degrees, ..*constants };
            let passes = match constants.dim {
                2 => passes::<declared::SeriesCircle>(device, &constants, queries, recorder, buffers),
                _ => passes::<declared::SeriesSphere>(device, &constants, queries, recorder, buffers),
            };
            HeadSeries {
                params: params(problem, head, coefficients, expansion.least),
                work: (10 * coefficients.harmonics + 8 * coefficients.steps) as f64,
                passes,
            }
        };
        let heads = problem.model.attention.heads.iter().zip(expansion.heads).map(head).collect();
        Series { heads, group_queries: (THREADS * constants.queries.min(SERIES_QUERIES)) as usize }
    }

    /// Records the partials of a view, whose queries have been projected if they need to be.
    pub fn record(&self, recorder: &mut Recorder, queries: &TokenBuffers, view: View) -> Result<(), BackendError> {
        let head = &self.heads[view.head];
        let segment = &queries.segments[view.segment].segment;
        let blocks = segment.tokens.div_ceil(self.group_queries);
        let groups = (segment.replicas * blocks) as u64;
        let work = groups as f64 * self.group_queries as f64 * head.work;
        let bound = &head.passes[view.point as usize][view.segment];
        recorder.record_parts(bound, groups, work, |part| params::Series {
            first_group: part.start,
            end_group: part.end,
            blocks: blocks as u32,
            queries: segment.tokens as u32,
            first_replica: segment.first_replica as u32,
            ..head.params
        })
    }
}

/// The kernel K at every point and segment.
fn passes<'q, K: Kernel<Params = params::Series>>(
    device: &Device,
    constants: &Constants,
    queries: &'q TokenBuffers,
    recorder: &Recorder,
    buffers: impl Fn(&'q SegmentBuffers, Point) -> [&'q wgpu::Buffer; 5],
) -> [Vec<BoundKernel<params::Series>>; 2] {
    let pipeline = Pipeline::<K>::new(device, constants);
    let bind = |segment_buffers, point| pipeline.bind(device, recorder.uniforms(), buffers(segment_buffers, point));
    POINTS.map(|point| queries.segments.iter().map(|segment_buffers| bind(segment_buffers, point)).collect())
}

/// The parameters of one head, but for those of a dispatch.
fn params(problem: &Problem, head: &Head, coefficients: &Coefficients, least: f32) -> params::Series {
    // Weights are in units of their mean.
    let total = problem.tokens.shape.sources() as f64;
    let (shift, factor) = match coefficients.radial {
        Radial::Shared { shift, factor } => (shift, factor),
        Radial::Varying => (0.0, 1.0),
    };
    let negative = head.query_key.multiple_of_identity().is_some_and(|scale| scale < 0.0);
    params::Series {
        first_group: 0,
        end_group: 0,
        blocks: 0,
        queries: 0,
        first_replica: 0,
        degree: coefficients.degree as u32,
        harmonics: coefficients.harmonics as u32,
        steps: coefficients.steps as u32,
        sign: if negative { -1.0 } else { 1.0 },
        shift: shift as f32,
        unit: (total * factor) as f32,
        least,
    }
}
