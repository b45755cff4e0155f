//! Attention heads as the device sees them: what is folded into a scale, what needs a product with a matrix, and
//! which shift keeps the softmax in range.

use std::f64::consts::LOG2_E;

use super::{
    cloud::{Need, Partials, Scratch},
    device::Device,
    shaders::{Matrices, NARROW, Shift, Sight},
};
use crate::{
    model::{Attention, Head, Mask, Matrix, Normalization},
    problem::Problem,
    tokens::{Tokens, Weights},
};

/// How the queries of a head come from the tokens.
pub(super) enum Query {
    /// Times a number, inside the reduction.
    Scaled(f32),
    /// Through a matrix, beforehand.
    Projected(wgpu::Buffer),
}

/// What follows the softmax of a head, beside its scale.
pub(super) enum Value {
    Nothing,
    /// A product with a matrix.
    Projected(wgpu::Buffer),
}

/// One head, with its matrices on the device.
pub(super) struct Lens {
    pub query: Query,
    pub value: Value,
    /// What the softmax output is multiplied by.
    pub scale: f32,
    pub shift: Shift,
    /// The shift if it is fixed: a whole number, to base two.
    pub fixed: f32,
}

impl Lens {
    pub fn new(device: &Device, problem: &Problem, head: &Head) -> Lens {
        let attention = &problem.model.attention;
        let dim = problem.tokens.shape.dim;
        let factor = attention.beta * LOG2_E;
        let query = match head.query_key.multiple_of_identity() {
            Some(scale) => Query::Scaled((factor * scale) as f32),
            // <x, A y> = <A^T x, y>: rows of tokens times A.
            None => Query::Projected(matrix(device, "query_key", dim, &head.query_key.dense(dim, factor))),
        };
        let unit = unit(problem);
        let (value, scale) = match head.value.multiple_of_identity() {
            Some(scale) => (Value::Nothing, unit * scale),
            None => {
                let rows = transposed(&head.value.dense(dim, 1.0), dim);
                (Value::Projected(matrix(device, "value", dim, &rows)), unit)
            }
        };
        let (shift, fixed) = match peak(attention, head, &problem.tokens) {
            // A whole number costs nothing and makes 2^shift exact.
            Some(peak) if dim <= NARROW => (Shift::Fixed, (factor * peak).ceil() as f32),
            _ => (Shift::Running, 0.0),
        };
        Lens { query, value, scale: scale as f32, shift, fixed }
    }
}

/// The scratch that the heads of a model need.
pub(super) fn scratch(attention: &Attention) -> Scratch {
    let need = |general: bool| if general { Need::EveryRow } else { Need::Nothing };
    Scratch {
        operands: need(attention.heads.iter().any(|head| head.query_key.multiple_of_identity().is_none())),
        outputs: need(attention.heads.iter().any(|head| head.value.multiple_of_identity().is_none())),
        partials: Partials::OfSlices,
    }
}

/// What the kernel `advance` must be able to do for the heads of a model.
pub(super) fn matrices(attention: &Attention) -> Matrices {
    let mut all = attention.heads.iter().flat_map(|head| [&head.query_key, &head.value]);
    match all.all(|matrix| matrix.multiple_of_identity().is_some()) {
        true => Matrices::Multiples,
        false => Matrices::General,
    }
}

/// Which sources the kernels let a query see.
pub(super) fn sight(mask: Mask) -> Sight {
    match mask {
        Mask::None | Mask::Others => Sight::All,
        Mask::Causal | Mask::StrictlyCausal => Sight::Leading,
    }
}

/// The largest score of every query in units of beta, where it is known beforehand: then a fixed shift by it is safe.
///
/// On the sphere and with A = c I, c >= 0, no score exceeds beta c = beta <x_i, A x_i>, and the term of the token
/// itself attains it; so no sum overflows and none vanishes, at any beta. That needs the token's own weight to be
/// there: passive tokens, weights so small that they vanish beside others, and a mask that hides it need a running
/// shift.
fn peak(attention: &Attention, head: &Head, tokens: &Tokens) -> Option<f64> {
    let scale = head.query_key.multiple_of_identity()?;
    let heard = match &tokens.weights {
        Weights::Equal => tokens.shape.passive == 0,
        Weights::Each(weights) => {
            let sources = tokens.shape.sources() as f64;
            weights.iter().all(|weight| weight * sources > 1e-20)
        }
    };
    let heard = heard && attention.mask != Mask::StrictlyCausal;
    (heard && scale >= 0.0).then_some(scale)
}

/// That peak where it is known and the same for all heads.
pub(super) fn common_peak(problem: &Problem) -> Option<f64> {
    let attention = &problem.model.attention;
    let mut peaks = attention.heads.iter().map(|head| peak(attention, head, &problem.tokens));
    let first = peaks.next()??;
    peaks.all(|other| other == Some(first)).then_some(first)
}

/// All heads as the kernel `advance` reads them: (c, v, 1 if A is general, 1 if V is), then A and the transpose of V.
pub(super) fn table(problem: &Problem) -> Vec<f32> {
    let dim = problem.tokens.shape.dim;
    let unit = unit(problem);
    let mut table = Vec::new();
    for Head { query_key, value, .. } in &problem.model.attention.heads {
        let multiples = [query_key, value].map(Matrix::multiple_of_identity);
        let [c, v] = multiples.map(|multiple| multiple.unwrap_or(1.0));
        let [general_a, general_v] = multiples.map(|multiple| f64::from(u8::from(multiple.is_none())));
        table.extend([c, unit * v, general_a, general_v].map(|number| number as f32));
        table.extend(padded(dim, &query_key.dense(dim, 1.0)));
        table.extend(padded(dim, &transposed(&value.dense(dim, 1.0), dim)));
    }
    table
}

/// What the sums of a reduction are multiplied by, because it counts weights in units of their mean.
fn unit(problem: &Problem) -> f64 {
    match problem.model.attention.normalization {
        Normalization::Softmax => 1.0,
        _ => 1.0 / problem.tokens.shape.sources() as f64,
    }
}

fn transposed(rows: &[f64], dim: usize) -> Vec<f64> {
    (0..dim * dim).map(|entry| rows[entry % dim * dim + entry / dim]).collect()
}

/// The entries of a matrix with its rows and columns padded like tokens.
fn padded(dim: usize, rows: &[f64]) -> Vec<f32> {
    let padded = dim.next_multiple_of(4);
    let mut entries = vec![0.0f32; padded * padded];
    for (row, padded_row) in rows.chunks_exact(dim).zip(entries.chunks_exact_mut(padded)) {
        padded_row.iter_mut().zip(row).for_each(|(to, from)| *to = *from as f32);
    }
    entries
}

/// A matrix on the device, its rows and columns padded like tokens.
fn matrix(device: &Device, label: &str, dim: usize, rows: &[f64]) -> wgpu::Buffer {
    numbers(device, label, &padded(dim, rows))
}

/// Numbers on the device.
pub(super) fn numbers(device: &Device, label: &str, numbers: &[f32]) -> wgpu::Buffer {
    let buffer = device.device.create_buffer(&wgpu::BufferDescriptor {
        label: Some(label),
        size: (numbers.len() * 4) as u64,
        usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
        mapped_at_creation: false,
    });
    device.queue.write_buffer(&buffer, 0, bytemuck::cast_slice(numbers));
    buffer
}
