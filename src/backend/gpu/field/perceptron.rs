//! The perceptron of every token: two products, with the hidden units of a block of rows between them.

use std::ops::Range;

use super::{
    motion::InputRows,
    project::{Affine, Linear, Projection, Rows, Sum},
};
use crate::backend::gpu::{
    engine::{allocation::AllocationScope, device::Device, recorder::Recorder},
    kernels::constants::Constants,
    layout::{
        points::POINTS,
        token_buffers::{SegmentBuffers, TokenBuffers},
    },
};
use crate::{
    backend::{BackendError, Point},
    model::{self, Activation},
};

/// Bytes of hidden units that are kept at most: enough rows to fill an adapter, however wide they are.
const HIDDEN: u64 = 64 << 20;

pub struct Perceptron {
    inner: Linear,
    outer: Linear,
    activation: Activation,
    /// Rows of a block.
    block: usize,
    /// By point and segment.
    passes: [Vec<[Projection; 2]>; 2],
}

impl Perceptron {
    pub fn new(
        scope: &AllocationScope,
        model: &model::Perceptron,
        constants: &Constants,
        buffers: &TokenBuffers,
        recorder: &Recorder,
        rows: InputRows,
    ) -> Result<Perceptron, BackendError> {
        let (device, dim) = (scope.device(), constants.dim as usize);
        let row_bytes = 16 * model.width().div_ceil(4) as u64;
        device.within("max_storage_buffer_binding_size", row_bytes, device.segment_bytes())?;
        let most = buffers.segments.iter().map(|segment_buffers| segment_buffers.rows()).max().unwrap_or(1);
        let block = ((HIDDEN.min(device.segment_bytes()) / row_bytes) as usize).clamp(1, most);
        let hidden = scope.buffer("hidden", row_bytes * block as u64);
        let [inner, outer] = affines(model, dim);
        let inner = Linear::new(scope, "inner", &inner);
        let outer = Linear::new(scope, "outer", &outer);
        let pass = |segment_buffers: &SegmentBuffers, point| {
            let inputs = match rows {
                InputRows::Normalized => segment_buffers.inputs(point),
                InputRows::Tokens => segment_buffers.tokens(point),
            };
            let bind = |linear, buffers| Projection::new(device, recorder, constants, linear, buffers);
            [bind(&inner, [inputs, &hidden]), bind(&outer, [&hidden, &segment_buffers.velocities])]
        };
        let passes =
            POINTS.map(|point| buffers.segments.iter().map(|segment_buffers| pass(segment_buffers, point)).collect());
        Ok(Perceptron { inner, outer, activation: model.activation, block, passes })
    }

    /// Replaces the numbers; false if the shape is another.
    #[must_use]
    pub fn write(&mut self, device: &Device, model: &model::Perceptron, dim: usize) -> bool {
        let [inner, outer] = affines(model, dim);
        self.activation = model.activation;
        self.inner.write(device, &inner) && self.outer.write(device, &outer)
    }

    /// Records the output at the `rows` tokens of a segment into the rows of `velocities` from `first_row`.
    pub fn record(
        &self,
        recorder: &mut Recorder,
        point: Point,
        segment: usize,
        rows: Range<usize>,
        first_row: usize,
        sum: Sum,
    ) -> Result<(), BackendError> {
        let [inner, outer] = &self.passes[point as usize][segment];
        for first in rows.clone().step_by(self.block) {
            let block = Rows::first(self.block.min(rows.end - first));
            inner.record(recorder, Rows { first_input: first, activation: self.activation, ..block })?;
            outer.record(recorder, Rows { first_output: first_row + first - rows.start, sum, ..block })?;
        }
        Ok(())
    }
}

/// The products before and after the hidden units.
fn affines(model: &model::Perceptron, dim: usize) -> [Affine; 2] {
    let width = model.width();
    [
        Affine::new(dim, width, |unit, k| model.inner[unit * dim + k], &model.bias),
        Affine::new(width, dim, |k, unit| model.outer[unit * dim + k], &model.output_bias),
    ]
}
