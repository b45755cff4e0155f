//! The perceptron of every token: two products, with the hidden units of a block of rows between them.

use std::ops::Range;

use super::{
    motion::Look,
    project::{Affine, Linear, Projection, Rows, Sum},
};
use crate::backend::gpu::{
    engine::{allocation::Ledger, device::Device, recorder::Recorder},
    kernels::constants::Constants,
    layout::{
        points::POINTS,
        token_buffers::{Cloud, Tract},
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
        ledger: &Ledger,
        model: &model::Perceptron,
        constants: &Constants,
        cloud: &Cloud,
        recorder: &Recorder,
        look: Look,
    ) -> Result<Perceptron, BackendError> {
        let (device, dim) = (ledger.device(), constants.dim as usize);
        let row_bytes = 16 * model.width().div_ceil(4) as u64;
        device.within("max_storage_buffer_binding_size", row_bytes, device.segment_bytes())?;
        let most = cloud.tracts.iter().map(|tract| tract.segment.rows()).max().unwrap_or(1);
        let block = ((HIDDEN.min(device.segment_bytes()) / row_bytes) as usize).clamp(1, most);
        let hidden = ledger.buffer("hidden", row_bytes * block as u64);
        let [inner, outer] = affines(model, dim);
        let inner = Linear::new(ledger, "inner", &inner);
        let outer = Linear::new(ledger, "outer", &outer);
        let pass = |tract: &Tract, point| {
            let inputs = match look {
                Look::Usual => tract.seen(point),
                Look::Plain => tract.tokens(point),
            };
            let bind = |linear, buffers| Projection::new(device, recorder, constants, linear, buffers);
            [bind(&inner, [inputs, &hidden]), bind(&outer, [&hidden, &tract.slopes])]
        };
        let passes = POINTS.map(|point| cloud.tracts.iter().map(|tract| pass(tract, point)).collect());
        Ok(Perceptron { inner, outer, activation: model.activation, block, passes })
    }

    /// Replaces the numbers; false if the shape is another.
    #[must_use]
    pub fn write(&mut self, device: &Device, model: &model::Perceptron, dim: usize) -> bool {
        let [inner, outer] = affines(model, dim);
        self.activation = model.activation;
        self.inner.write(device, &inner) && self.outer.write(device, &outer)
    }

    /// Records the output at the `rows` tokens of a segment into the rows of `slopes` from `first_row`.
    pub fn record(
        &self,
        recorder: &mut Recorder,
        (point, segment, rows): (Point, usize, Range<usize>),
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

/// What makes the hidden units, and what takes them.
fn affines(model: &model::Perceptron, dim: usize) -> [Affine; 2] {
    let width = model.width();
    [
        Affine::new(dim, width, |unit, k| model.inner[unit * dim + k], &model.bias),
        Affine::new(width, dim, |k, unit| model.outer[unit * dim + k], &model.output_bias),
    ]
}
