//! The buffers of a problem: tokens, stages and weights for each segment, and the scratch that segments take turns to
//! use.
//!
//! A token is WIDTH vectors of four components; what lies beyond its width is zero and stays zero.

use std::ops::Range;

use super::{
    decay::Decay,
    geometries::geometries,
    segments::{self, Segment},
    tune,
};
use crate::backend::gpu::{
    engine::{allocation::AllocationScope, device::Device},
    kernels::{constants::Constants, sizes::MASKED_SCORE},
};
use crate::{
    backend::{BackendError, Point},
    model::{Geometry, Position},
    problem::Problem,
    tokens::{Shape, Tokens},
};

/// Bytes of four components.
const VECTOR: u64 = 16;
/// Bytes of one upload; more are made, so that no copy of a large problem is held for long.
const UPLOAD: usize = 32 << 20;

/// The tokens of one segment on the device.
pub struct SegmentBuffers {
    pub segment: Segment,
    pub state: wgpu::Buffer,
    pub stage: wgpu::Buffer,
    /// The inputs of attention and perceptron at the point at which they were made last, where they are not the tokens at all times.
    pub normalized: Option<wgpu::Buffer>,
    /// The same with positions added, where positions are vectors: of these queries and keys are made.
    pub positioned: Option<wgpu::Buffer>,
    /// Whether values are made of these too.
    pub is_in_values: bool,
    /// Velocities, ordered (stage, row).
    pub velocities: wgpu::Buffer,
    /// For each row its weight, relative to the mean weight of a source, and the base-two logarithm of that.
    pub weights: wgpu::Buffer,
    /// That of all heads, or one for each; none where weights do not decay.
    pub decays: Vec<Decay>,
}

impl SegmentBuffers {
    pub fn rows(&self) -> usize {
        self.segment.rows()
    }

    /// The tokens at a point of the scheme.
    pub fn tokens(&self, point: Point) -> &wgpu::Buffer {
        match point {
            Point::State => &self.state,
            Point::Stage => &self.stage,
        }
    }

    /// The inputs of attention and perceptron.
    pub fn inputs(&self, point: Point) -> &wgpu::Buffer {
        self.normalized.as_ref().unwrap_or(self.tokens(point))
    }

    /// The rows of which queries and keys are made.
    pub fn score_inputs(&self, point: Point) -> &wgpu::Buffer {
        self.positioned.as_ref().unwrap_or(self.inputs(point))
    }

    /// The rows of which values are made.
    pub fn value_inputs(&self, point: Point) -> &wgpu::Buffer {
        if self.is_in_values { self.score_inputs(point) } else { self.inputs(point) }
    }

    /// How weights decay in a head.
    pub fn decay_of(&self, head: usize) -> Option<&Decay> {
        self.decays.get(head % self.decays.len().max(1))
    }

    /// The weights of sources in the field of a head.
    pub fn biases_of(&self, head: usize) -> &wgpu::Buffer {
        self.decay_of(head).map_or(&self.weights, |decay| &decay.biases)
    }
}

pub struct TokenBuffers {
    pub segments: Vec<SegmentBuffers>,
    /// Partials of the reduction, ordered (slice, row).
    pub partials: wgpu::Buffer,
    /// Queries, keys and values that are products with a matrix.
    pub operands: wgpu::Buffer,
    pub keys: wgpu::Buffer,
    pub values: wgpu::Buffer,
    /// The largest score, and the largest magnitude of one, of each partial.
    pub extremes: wgpu::Buffer,
    /// Attention outputs before their matrix.
    pub outputs: wgpu::Buffer,
    /// Slices into which the keys of a replica are cut.
    pub slices: usize,
}

/// Vectors of a row of each scratch buffer; zero where nothing is kept.
#[derive(Clone, Copy, Debug)]
pub struct Scratch {
    pub operands: usize,
    pub keys: usize,
    pub values: usize,
    pub outputs: usize,
    /// Those of M in a partial.
    pub sums: usize,
    /// One where largest scores are sought.
    pub extremes: usize,
    pub partials: Partials,
}

impl Scratch {
    /// Bytes of the longest row but for partials.
    fn row_bytes(&self) -> u64 {
        let Scratch { operands, keys, values, outputs, .. } = *self;
        VECTOR * operands.max(keys).max(values).max(outputs) as u64
    }
}

/// What the partials of a row are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partials {
    /// One for each slice of the keys.
    #[default]
    OfSlices,
    /// One: harmonics have no slices.
    Whole,
}

impl TokenBuffers {
    /// Allocates all buffers and uploads the tokens as the state.
    pub fn new(
        scope: &AllocationScope,
        problem: &Problem,
        constants: &Constants,
        scratch: Scratch,
    ) -> Result<TokenBuffers, BackendError> {
        let device = scope.device();
        let width = u64::from(constants.width());
        let (stages, slots) = (problem.scheme.tableau().stages(), problem.slots() as u64);
        let (segments, slices) = lay_out(device, problem.tokens.shape, constants, slots, scratch)?;
        let most = segments.iter().map(Segment::rows).max().unwrap_or(0) as u64;
        let rows = |label, vectors: usize| scope.buffer(label, VECTOR * (most * vectors as u64).max(1));
        let partials = rows("partials", (scratch.sums + 1) * slices);
        let extremes = rows("extremes", scratch.extremes * slices);
        let [operands, outputs] = [rows("operands", scratch.operands), rows("outputs", scratch.outputs)];
        let [keys, values] = [rows("keys", scratch.keys), rows("values", scratch.values)];
        let sees_directions = geometries(problem).any(Geometry::sees_directions);
        let is_additive = matches!(problem.model.attention.position, Position::Additive { .. });
        let tokens = &problem.tokens;
        let relative = |row: usize| relative_weight(tokens, row / tokens.shape.count, row % tokens.shape.count);
        let attention = &problem.model.attention;
        let differing = if attention.has_decays_of_heads() { attention.heads.len() } else { 1 };
        let decaying = attention.heads.iter().take(differing);
        let segment_buffers = |segment: Segment| {
            let bytes = VECTOR * width * segment.rows() as u64;
            let decays = decaying.clone().filter_map(|head| Decay::new(scope, problem, head, &segment, relative));
            let decays = decays.collect();
            SegmentBuffers {
                segment,
                state: scope.buffer("state", bytes),
                // A scheme of one stage never leaves the state.
                stage: scope.buffer("stage", if stages > 1 { bytes } else { VECTOR }),
                normalized: sees_directions.then(|| scope.buffer("normalized", bytes)),
                is_in_values: problem.model.attention.position.is_in_values(),
                positioned: is_additive.then(|| scope.buffer("positioned", bytes)),
                velocities: scope.buffer("velocities", bytes * slots),
                weights: scope.buffer("weights", 8 * segment.rows() as u64),
                decays,
            }
        };
        let segments = segments.into_iter().map(segment_buffers).collect();
        let buffers = TokenBuffers { segments, partials, operands, keys, values, extremes, outputs, slices };
        buffers.upload(device, tokens, width as usize * 4);
        Ok(buffers)
    }

    /// The states in which a run of tokens lies, counted over the replicas, and which rows of each they are.
    pub fn states(&self, shape: Shape, tokens: &Range<usize>) -> impl Iterator<Item = (&wgpu::Buffer, Range<usize>)> {
        let Range { start, end } = *tokens;
        self.segments.iter().filter_map(move |segment_buffers| {
            let own = segment_buffers.segment.range(shape);
            let (start, end) = (start.max(own.start), end.min(own.end));
            (start < end).then(|| (&segment_buffers.state, start - own.start..end - own.start))
        })
    }

    fn upload(&self, device: &Device, tokens: &Tokens, padded: usize) {
        let shape = tokens.shape;
        let step = (UPLOAD / (4 * padded)).max(1);
        for segment_buffers in &self.segments {
            let range = segment_buffers.segment.range(shape);
            for first in range.clone().step_by(step) {
                let rows = first..range.end.min(first + step);
                let mut coordinates = vec![0.0f32; rows.len() * padded];
                for (row, to) in rows.clone().zip(coordinates.chunks_exact_mut(padded)) {
                    let token = &tokens.coordinates[row * shape.dim..][..shape.dim];
                    to.iter_mut().zip(token).for_each(|(to, from)| *to = *from as f32);
                }
                let weights: Vec<[f32; 2]> =
                    rows.map(|row| relative_weight(tokens, row / shape.count, row % shape.count)).collect();
                let at = (first - range.start) as u64;
                let queue = &device.queue;
                queue.write_buffer(
                    &segment_buffers.state,
                    at * padded as u64 * 4,
                    bytemuck::cast_slice(&coordinates),
                );
                queue.write_buffer(&segment_buffers.weights, at * 8, bytemuck::cast_slice(&weights));
                queue.submit([]);
            }
        }
    }
}

/// The segments of all tokens, and the slices of the keys of a replica, such that every buffer fits a binding.
fn lay_out(
    device: &Device,
    shape: Shape,
    constants: &Constants,
    slots: u64,
    scratch: Scratch,
) -> Result<(Vec<Segment>, usize), BackendError> {
    let width = u64::from(constants.width());
    let partial = scratch.sums as u64 + 1;
    let row_bytes = |slices: usize| (VECTOR * (width * slots).max(partial * slices as u64)).max(scratch.row_bytes());
    device.within("max_storage_buffer_binding_size", row_bytes(1), device.segment_bytes())?;
    let divide = |slices| segments::divide(shape, (device.segment_bytes() / row_bytes(slices)) as usize);
    let tuned = || device.bounds.slices.unwrap_or_else(|| tune::slices(shape, device.kind(), constants));
    let wanted = if scratch.partials == Partials::Whole { 1 } else { tuned() };
    // Slices are whole tiles, so there may be fewer than wanted.
    let slices = shape.sources().div_ceil(tune::slice_keys(shape.sources(), wanted, constants));
    let segments = divide(slices);
    // A replica in pieces has its keys in slices already.
    if segments.iter().any(|segment| segment.tokens < shape.count) {
        return Ok((divide(1), 1));
    }
    Ok((segments, slices))
}

/// A weight in units of the mean weight, 1 / sources, and its logarithm. Equal weights are then exactly (1, 0), so
/// that they cost no accuracy.
fn relative_weight(tokens: &Tokens, replica: usize, token: usize) -> [f32; 2] {
    let relative = tokens.weight(replica, token) * tokens.shape.sources() as f64;
    // The logarithm of a weight that single precision cannot hold is held, and at large beta it may decide a softmax.
    if relative > 0.0 { [relative as f32, relative.log2() as f32] } else { [0.0, MASKED_SCORE] }
}
