//! The points of the scheme: state and stages, combined, and retracted as the geometry demands.

use crate::backend::gpu::{
    engine::{
        allocation::AllocationScope,
        device::Device,
        pipelines::{BoundKernel, Pipeline},
        recorder::Recorder,
    },
    kernels::{codes::Retraction, constants::Constants, declared, params},
    layout::token_buffers::{SegmentBuffers, TokenBuffers},
};
use crate::{
    backend::{BackendError, Point},
    model::{Field, Geometry, Model},
};

/// Stages, those of the noise included, that one combination can have.
const SLOTS: usize = 8;

/// The kernel of all combinations, bound to the buffers of each segment.
pub struct Combination {
    segments: Vec<BoundKernel<params::Combine>>,
    geometry: Geometry,
    /// Gain and bias of the layer norms after the attention and after the perceptron.
    norms: wgpu::Buffer,
    dim: usize,
    /// Leading tokens of a replica that are not moved.
    frozen: usize,
}

impl Combination {
    pub fn new(
        scope: &AllocationScope,
        model: &Model,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
    ) -> Combination {
        let (device, dim) = (scope.device(), constants.dim as usize);
        let norms = scope.upload("norms", &numbers(&model.geometry, dim));
        let pipeline = Pipeline::<declared::Combine>::new(device, constants);
        let bind = |segment_buffers: &SegmentBuffers| {
            pipeline.bind(
                device,
                recorder.uniforms(),
                [&segment_buffers.state, &segment_buffers.stage, &segment_buffers.velocities, &norms],
            )
        };
        Combination {
            segments: buffers.segments.iter().map(bind).collect(),
            geometry: model.geometry.clone(),
            norms,
            dim,
            frozen: model.frozen,
        }
    }

    /// Follows another geometry, after whatever was submitted.
    pub fn write(&mut self, device: &Device, geometry: &Geometry) {
        device.queue.write_buffer(&self.norms, 0, bytemuck::cast_slice(&numbers(geometry, self.dim)));
        self.geometry = geometry.clone();
    }

    /// Records `into` <- N(state + sum_s coefficients\[s\] k_s), a layer norm being that after `field`.
    pub fn record(
        &self,
        recorder: &mut Recorder,
        buffers: &TokenBuffers,
        coefficients: &[f64],
        into: Point,
        field: Field,
    ) -> Result<(), BackendError> {
        if coefficients.len() > SLOTS {
            return Err(
                recorder.refused(format!("{} stages in one combination, at most {SLOTS}", coefficients.len()))
            );
        }
        let mut padded = [[0.0; 4]; SLOTS / 4];
        padded.as_flattened_mut().iter_mut().zip(coefficients).for_each(|(to, from)| *to = *from as f32);
        let width = self.dim.div_ceil(4) as u32;
        let (retraction, at, epsilon) = match (&self.geometry, field) {
            (Geometry::Sphere | Geometry::Ngpt { .. }, _) => (Retraction::Sphere, 0, 0.0),
            (Geometry::LayerNorm { attention, .. }, Field::Ambient) => (Retraction::LayerNorm, 0, attention.epsilon),
            (Geometry::LayerNorm { perceptron, .. }, Field::Perceptron) => {
                (Retraction::LayerNorm, 2 * width, perceptron.epsilon)
            }
            (Geometry::LayerNorm { .. }, Field::Tangent)
            | (Geometry::Euclidean | Geometry::Rescaled | Geometry::PreNorm | Geometry::PeriNorm, _) => {
                (Retraction::Identity, 0, 0.0)
            }
        };
        for (bound, segment_buffers) in self.segments.iter().zip(&buffers.segments) {
            let rows = segment_buffers.rows();
            let params = params::Combine {
                rows: rows as u32,
                stages: coefficients.len() as u32,
                into: into.into(),
                retraction,
                at,
                epsilon: epsilon as f32,
                tokens: segment_buffers.segment.tokens as u32,
                frozen: segment_buffers.segment.leading(self.frozen) as u32,
                coefficients: padded,
            };
            let work = (rows * self.dim * 8) as f64;
            recorder.record_rows(bound, &params, rows, work)?;
        }
        Ok(())
    }
}

/// The four vectors of `norms`, padded like tokens; zeros where there are none.
fn numbers(geometry: &Geometry, dim: usize) -> Vec<f32> {
    let width = dim.next_multiple_of(4);
    let mut numbers = vec![0.0; 4 * width];
    if let Geometry::LayerNorm { attention, perceptron } = geometry {
        let all = [&attention.gain, &attention.bias, &perceptron.gain, &perceptron.bias];
        for (to, from) in numbers.chunks_exact_mut(width).zip(all) {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = *from as f32);
        }
    }
    numbers
}
