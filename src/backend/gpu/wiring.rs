//! Which buffers each kernel of a head reads and writes, decided once for every head, point and segment.

use super::{
    cloud::{Cloud, Tract},
    device::Device,
    heads::{Lens, Query},
    pipelines::{Bound, Pipeline},
    project::{Linear, Projection},
    recorder::Recorder,
    shaders::{Constants, Kernel},
    tune,
};
use crate::backend::Point;

/// What one head does to the queries of one segment at one point.
pub(super) struct Pass {
    pub query: Option<Projection>,
    /// The keys of each segment that is seen.
    pub keys: Vec<KeyPass>,
    pub settle: Bound,
    pub output: Option<Projection>,
}

/// What one head does to the keys of one segment, and the reduction over them.
pub(super) struct KeyPass {
    /// The index of the segment.
    pub segment: usize,
    pub key: Option<Projection>,
    pub value: Option<Projection>,
    pub reduce: Bound,
}

/// Attaches the buffers of one head.
pub(super) struct Wire<'a> {
    device: &'a Device,
    queries: &'a Cloud,
    keys: &'a Cloud,
    recorder: &'a Recorder,
    lens: &'a Lens<Linear>,
    constants: &'a Constants,
    reduce: Pipeline,
    settle: Pipeline,
}

impl<'a> Wire<'a> {
    pub fn new(
        device: &'a Device,
        [queries, keys]: [&'a Cloud; 2],
        recorder: &'a Recorder,
        lens: &'a Lens<Linear>,
        constants: &'a Constants,
    ) -> Wire<'a> {
        let (kernel, own) = match lens.is_narrow(constants.dim as usize) {
            true => (Kernel::ReduceNarrow, Constants { shift: lens.shift, ..*constants }),
            false => (Kernel::ReduceWide, tune::wide(constants, lens.key_dim, lens.value_dim)),
        };
        let reduce = Pipeline::new(device, kernel, &own);
        let dim = lens.value_dim as u32;
        let settle = Pipeline::new(device, Kernel::Settle, &Constants { dim, ..*constants });
        Wire { device, queries, keys, recorder, lens, constants, reduce, settle }
    }

    pub fn pass(&self, tract: &Tract, point: Point) -> Pass {
        let Wire { queries: cloud, keys, lens, .. } = self;
        let seen = tract.seen(point);
        let (queries, query) = match &lens.query {
            Query::Scaled(_) => (seen, None),
            Query::Projected(matrix) => (&cloud.operands, Some(self.project(matrix, [seen, &cloud.operands]))),
        };
        let (settled, output) = match &lens.output {
            None => (&tract.slopes, None),
            Some(matrix) => (&cloud.outputs, Some(self.project(matrix, [&cloud.outputs, &tract.slopes]))),
        };
        let others = keys.tracts.iter().enumerate().filter(|(_, keys)| tract.segment.sees(&keys.segment));
        Pass {
            query,
            keys: others.map(|(segment, keys)| self.keys(segment, keys, point, queries)).collect(),
            settle: self.bind(&self.settle, &[tract.tokens(point), &cloud.partials, settled]),
            output,
        }
    }

    fn keys(&self, segment: usize, tract: &Tract, point: Point, queries: &wgpu::Buffer) -> KeyPass {
        let Wire { queries: cloud, keys: scratch, lens, .. } = self;
        let seen = tract.seen(point);
        let made = |matrix: &Option<Linear>, into| {
            matrix.as_ref().map_or((seen, None), |matrix| (into, Some(self.project(matrix, [seen, into]))))
        };
        let (keys, key) = made(&lens.key, &scratch.keys);
        let (values, value) = made(&lens.value, &scratch.values);
        let mut buffers = vec![queries, keys, &tract.weights, &cloud.partials];
        if self.reduce.kernel == Kernel::ReduceWide {
            buffers.push(values);
        }
        KeyPass { segment, key, value, reduce: self.bind(&self.reduce, &buffers) }
    }

    fn project(&self, matrix: &Linear, buffers: [&wgpu::Buffer; 2]) -> Projection {
        Projection::new(self.device, self.recorder, self.constants, matrix, buffers)
    }

    fn bind(&self, pipeline: &Pipeline, buffers: &[&wgpu::Buffer]) -> Bound {
        pipeline.bind(self.device, self.recorder.uniforms(), buffers)
    }
}
