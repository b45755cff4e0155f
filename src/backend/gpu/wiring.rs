//! Which buffers each kernel of the velocity reads and writes, decided once for every head, point and segment.

use super::{
    cloud::{Cloud, Tract},
    device::Device,
    heads::{Lens, Query, Value},
    pipelines::{Bound, Pipeline},
    recorder::Recorder,
    shaders::{Constants, Kernel, NARROW, Shift},
};
use crate::backend::Point;

/// What one head does to the queries of one segment at one point.
pub(super) struct Pass {
    pub project_query: Option<Bound>,
    /// The reduction over the keys of each segment that is seen, by its index.
    pub reduce: Vec<(usize, Bound)>,
    pub settle: Bound,
    pub project_value: Option<Bound>,
}

/// The kernels of the velocity.
pub(super) struct Kernels {
    fixed: Pipeline,
    running: Pipeline,
    settle: Pipeline,
    project: Pipeline,
    pub tangent: Pipeline,
}

impl Kernels {
    pub fn new(device: &Device, constants: &Constants) -> Kernels {
        let kernel = |kernel| Pipeline::new(device, kernel, constants);
        let (reduction, projection) = match constants.dim as usize {
            ..=NARROW => (Kernel::ReduceNarrow, Kernel::ProjectNarrow),
            _ => (Kernel::ReduceWide, Kernel::ProjectWide),
        };
        let reduce = |shift| Pipeline::new(device, reduction, &Constants { shift, ..*constants });
        Kernels {
            fixed: reduce(Shift::Fixed),
            running: reduce(Shift::Running),
            settle: kernel(Kernel::Settle),
            project: kernel(projection),
            tangent: kernel(Kernel::Tangent),
        }
    }
}

/// Attaches the buffers of one head.
pub(super) struct Wire<'a> {
    pub device: &'a Device,
    pub queries: &'a Cloud,
    pub keys: &'a Cloud,
    pub recorder: &'a Recorder,
    pub kernels: &'a Kernels,
    pub lens: &'a Lens,
}

impl Wire<'_> {
    pub fn pass(&self, tract: &Tract, point: Point) -> Pass {
        let Wire { queries: cloud, keys, kernels, lens, .. } = self;
        let tokens_here = tract.tokens(point);
        let (queries, project_query) = match &lens.query {
            Query::Scaled(_) => (tokens_here, None),
            Query::Projected(matrix) => {
                (&cloud.operands, Some(self.bind(&kernels.project, &[tokens_here, matrix, &cloud.operands])))
            }
        };
        let (settled, project_value) = match &lens.value {
            Value::Nothing => (&tract.slopes, None),
            Value::Projected(matrix) => {
                (&cloud.outputs, Some(self.bind(&kernels.project, &[&cloud.outputs, matrix, &tract.slopes])))
            }
        };
        let reduce = match lens.shift {
            Shift::Fixed => &kernels.fixed,
            Shift::Running => &kernels.running,
        };
        let seen = keys.tracts.iter().enumerate().filter(|(_, keys)| tract.segment.sees(&keys.segment));
        let over = |(segment, keys): (usize, &Tract)| {
            let buffers = [queries, keys.tokens(point), &keys.weights, &cloud.partials];
            (segment, self.bind(reduce, &buffers))
        };
        Pass {
            project_query,
            reduce: seen.map(over).collect(),
            settle: self.bind(&kernels.settle, &[tokens_here, &cloud.partials, settled]),
            project_value,
        }
    }

    fn bind(&self, pipeline: &Pipeline, buffers: &[&wgpu::Buffer]) -> Bound {
        pipeline.bind(self.device, self.recorder.uniforms(), buffers)
    }
}
