//! Attention heads as the device evaluates them: what is folded into a scale, what needs a product with a matrix, and
//! which shift keeps the softmax in range.

use std::f64::consts::LOG2_E;

use super::project::{Affine, Linear, MaskedRows};
use crate::backend::gpu::{
    engine::{allocation::AllocationScope, device::Device},
    kernels::{
        constants::{Matrices, Shift, Visibility},
        sizes::NARROW,
    },
    layout::{
        half,
        token_buffers::{Partials, Scratch},
    },
};
use crate::{
    model::{Attention, Head, Mask, Matrix, Normalization, Position},
    problem::Problem,
    tokens::Weights,
};

/// How the queries of a head come from the tokens.
pub enum Query<M> {
    /// Times a number, inside the reduction.
    Scaled(f32),
    /// Through a matrix, beforehand.
    Projected(M),
}

impl<M> Query<M> {
    pub fn matrix(&self) -> Option<&M> {
        match self {
            Query::Scaled(_) => None,
            Query::Projected(matrix) => Some(matrix),
        }
    }

    fn matrix_mut(&mut self) -> Option<&mut M> {
        match self {
            Query::Scaled(_) => None,
            Query::Projected(matrix) => Some(matrix),
        }
    }
}

/// One head: how queries, keys, values and outputs come of tokens, with matrices of the kind M.
pub struct HeadLayout<M> {
    pub query: Query<M>,
    /// Keys and values, where they are not the tokens themselves.
    pub key: Option<M>,
    pub value: Option<M>,
    /// What the sums are multiplied by, beside their scale.
    pub output: Option<M>,
    /// Components of queries and keys, and of values.
    pub key_dim: usize,
    pub value_dim: usize,
    /// What the sums are multiplied by, and by which power of two they are divided where the softmax does not do that.
    pub scale: f32,
    pub offset: f32,
    /// What products of queries and keys that were made beforehand are multiplied by.
    pub unit: f32,
    pub shift: Shift,
    /// The shift if it is fixed: a whole number, to base two.
    pub fixed: f32,
    pub masked_rows: MaskedRows,
    /// Whether queries and keys are made of other rows than values.
    pub is_placed: bool,
}

/// What the layout of a head depends on beside the model.
#[derive(Clone, Debug)]
pub struct HeadInputs {
    pub dim: usize,
    pub sources: usize,
    /// Whether matrices that are multiples of the identity stay what they are.
    pub is_constant: bool,
    /// Whether every token has a length of one, and a weight that does not vanish beside others.
    pub attends_itself: bool,
    /// Present in half precision: no row is longer.
    pub longest: Option<f64>,
}

impl HeadInputs {
    pub fn new(problem: &Problem) -> HeadInputs {
        let Problem {
            tokens,
            model,
            model_schedule,
            scheme: _,
            schedule: _,
            quantities: _,
            algorithm: _,
            tolerance: _,
        } = problem;
        let sources = tokens.shape.sources();
        let weighs = match &tokens.weights {
            Weights::Equal => tokens.shape.passive == 0,
            Weights::Each(weights) => weights.iter().all(|weight| weight * sources as f64 > 1e-20),
        };
        let is_constant = model_schedule.is_constant();
        let attends_itself = weighs && model.geometry.is_unit();
        HeadInputs { dim: tokens.shape.dim, sources, is_constant, attends_itself, longest: None }
    }

    /// The same in the precision of `device`.
    pub fn on(device: &Device, problem: &Problem) -> HeadInputs {
        let longest = device.half.and_then(|_| half::longest(problem));
        HeadInputs { longest, ..HeadInputs::new(problem) }
    }

    /// Keeps the outputs of a matrix within f16, and returns by what they became smaller.
    fn shrink(&self, matrix: Option<&mut Affine>) -> f64 {
        self.longest.zip(matrix).map_or(1.0, |(longest, matrix)| matrix.shrink(longest))
    }
}

impl HeadLayout<Affine> {
    /// `head`, one of those of `attention`, on the host.
    pub fn of(inputs: &HeadInputs, attention: &Attention, head: &Head) -> HeadLayout<Affine> {
        let dim = inputs.dim;
        let beta = attention.beta_of(head);
        let factor = beta * LOG2_E;
        let (mut query, mut key) = queries_and_keys(inputs, attention, head);
        let (mut value, output) = values_and_output(inputs, head);
        let unit_of_scores = inputs.shrink(query.matrix_mut()) * inputs.shrink(key.as_mut());
        let unit_of_values = inputs.shrink(value.as_mut());
        let width = |matrix: Option<&Affine>| matrix.map_or(dim, |matrix| matrix.outer());
        let key_dim = width(query.matrix());
        let value_dim = width(value.as_ref());
        // The weight is in the output matrix if there is one.
        let multiple = match output {
            Some(_) => 1.0,
            None => head.weight * head.value.multiple_of_identity().unwrap_or(1.0),
        };
        // Where replicas have betas of their own they have normalizers of their own, and no whole number is the shift of all.
        let is_shared = attention.factors_of(head).is_empty();
        let is_late = is_shared && attention.normalization == Normalization::Shifted;
        let down = if is_late { factor } else { 0.0 };
        let is_narrow = dim <= NARROW && key.is_none() && value.is_none();
        let is_placed = matches!(attention.position, Position::Additive { .. });
        let (shift, fixed) = match peak(inputs, attention, head) {
            // A whole number costs nothing and makes 2^shift exact.
            Some(peak) if is_narrow && is_shared => (Shift::Fixed, (factor * peak).ceil() as f32),
            _ => (Shift::Running, 0.0),
        };
        let masked_rows = if head.biases.output.is_empty() { MaskedRows::Zero } else { MaskedRows::Marked };
        // 2^-down in two parts, so that its exponent is exact.
        let scale = (unit(inputs, attention) * unit_of_values * multiple * (down.floor() - down).exp2()) as f32;
        let offset = down.floor() as f32;
        let unit = unit_of_scores as f32;
        HeadLayout {
            query,
            key,
            value,
            output,
            key_dim,
            value_dim,
            scale,
            offset,
            unit,
            shift,
            fixed,
            masked_rows,
            is_placed,
        }
    }
}

impl HeadLayout<Linear> {
    pub fn new(scope: &AllocationScope, layout: &HeadLayout<Affine>) -> HeadLayout<Linear> {
        let put = |label| move |affine: &Affine| Linear::new(scope, label, affine);
        HeadLayout {
            query: match &layout.query {
                Query::Scaled(scale) => Query::Scaled(*scale),
                Query::Projected(matrix) => Query::Projected(put("query")(matrix)),
            },
            key: layout.key.as_ref().map(put("key")),
            value: layout.value.as_ref().map(put("value")),
            output: layout.output.as_ref().map(put("output")),
            key_dim: layout.key_dim,
            value_dim: layout.value_dim,
            scale: layout.scale,
            offset: layout.offset,
            unit: layout.unit,
            shift: layout.shift,
            fixed: layout.fixed,
            masked_rows: layout.masked_rows,
            is_placed: layout.is_placed,
        }
    }

    /// Replaces the numbers of the head, after whatever was submitted; false if its shape is another.
    #[must_use]
    pub fn write(&mut self, device: &Device, layout: &HeadLayout<Affine>) -> bool {
        (self.scale, self.offset, self.unit, self.fixed) = (layout.scale, layout.offset, layout.unit, layout.fixed);
        if let (Query::Scaled(own), Query::Scaled(scale)) = (&mut self.query, &layout.query) {
            *own = *scale;
        }
        let put = |to: Option<&Linear>, from: Option<&Affine>| match (to, from) {
            (Some(to), Some(from)) => to.write(device, from),
            (None, None) => true,
            _ => false,
        };
        (self.masked_rows, self.shift) == (layout.masked_rows, layout.shift)
            && put(self.query.matrix(), layout.query.matrix())
            && put(self.key.as_ref(), layout.key.as_ref())
            && put(self.value.as_ref(), layout.value.as_ref())
            && put(self.output.as_ref(), layout.output.as_ref())
    }
}

impl<M> HeadLayout<M> {
    /// What products of queries and keys are multiplied by.
    pub fn score_scale(&self) -> f32 {
        match self.query {
            Query::Scaled(scale) => scale,
            Query::Projected(_) => self.unit,
        }
    }

    /// Whether tokens of width `dim` are reduced in registers, being keys and values at once.
    pub fn is_narrow(&self, dim: usize) -> bool {
        dim <= NARROW && self.key.is_none() && self.value.is_none() && !self.is_placed
    }
}

/// Queries factor * Q x and keys K x, such that scores to base two are their products. Both are made where they are to be
/// turned.
fn queries_and_keys(inputs: &HeadInputs, attention: &Attention, head: &Head) -> (Query<Affine>, Option<Affine>) {
    let (dim, factor) = (inputs.dim, attention.beta_of(head) * LOG2_E);
    let turns = matches!(attention.position, Position::Rotary { .. });
    let folds = inputs.is_constant && !turns && attention.factors_of(head).is_empty();
    match &head.query_key {
        Matrix::Product { left, right } => {
            let rank = left.len() / dim;
            let bias: Vec<f64> = head.biases.query.iter().map(|bias| factor * bias).collect();
            let query = Affine::new(dim, rank, |r, k| factor * left[r * dim + k], &bias);
            (Query::Projected(query), Some(Affine::new(dim, rank, |r, k| right[r * dim + k], &head.biases.key)))
        }
        matrix @ (Matrix::Identity
        | Matrix::Scale(_)
        | Matrix::Diagonal(_)
        | Matrix::Dense(_)
        | Matrix::OfReplicas(_)) => match matrix.multiple_of_identity() {
            Some(scale) if folds => (Query::Scaled((factor * scale) as f32), None),
            _ => {
                // <x, A y> = <A^T x, y>.
                let identity = || Affine::new(dim, dim, |k, l| f64::from(u8::from(k == l)), &[]);
                let query = |rows: &[f64]| Affine::new(dim, dim, |k, l| rows[l * dim + k], &[]);
                let queries = matrix.dense(dim, factor).chunks_exact(dim * dim).map(query).collect();
                (Query::Projected(Affine::of_replicas(queries)), turns.then(identity))
            }
        },
    }
}

/// Values W_v x, and what follows their weighted sums: W_o with the weight of the head.
fn values_and_output(inputs: &HeadInputs, head: &Head) -> (Option<Affine>, Option<Affine>) {
    let dim = inputs.dim;
    let bias: Vec<f64> = head.biases.output.iter().map(|bias| head.weight * bias).collect();
    match &head.value {
        Matrix::Product { left, right } => {
            let rank = left.len() / dim;
            let value = Affine::new(dim, rank, |r, k| right[r * dim + k], &head.biases.value);
            (Some(value), Some(Affine::new(rank, dim, |k, r| head.weight * left[r * dim + k], &bias)))
        }
        matrix @ (Matrix::Identity
        | Matrix::Scale(_)
        | Matrix::Diagonal(_)
        | Matrix::Dense(_)
        | Matrix::OfReplicas(_)) => {
            let folds = inputs.is_constant && bias.is_empty();
            if folds && matrix.multiple_of_identity().is_some() {
                return (None, None);
            }
            let output = |rows: &[f64]| Affine::new(dim, dim, |k, l| rows[k * dim + l], &bias);
            let outputs = matrix.dense(dim, head.weight).chunks_exact(dim * dim).map(output).collect();
            (None, Some(Affine::of_replicas(outputs)))
        }
    }
}

/// The scratch that the heads of a model need.
pub fn scratch<M>(layouts: &[HeadLayout<M>], normalization: Normalization, partials: Partials) -> Scratch {
    let most = |width: &dyn Fn(&HeadLayout<M>) -> Option<usize>| {
        layouts.iter().filter_map(width).map(|dim| dim.div_ceil(4)).max().unwrap_or(0)
    };
    Scratch {
        operands: most(&|layout| layout.query.matrix().map(|_| layout.key_dim)),
        keys: most(&|layout| layout.key.as_ref().map(|_| layout.key_dim)),
        values: most(&|layout| layout.value.as_ref().map(|_| layout.value_dim)),
        outputs: most(&|layout| layout.output.as_ref().map(|_| layout.value_dim)),
        sums: most(&|layout| Some(layout.value_dim)),
        extremes: usize::from(normalization == Normalization::Hardmax),
        partials,
    }
}

/// What the kernel `advance` must be able to do for the heads of a model.
pub fn matrices(attention: &Attention) -> Matrices {
    match attention.heads.iter().all(Head::is_multiple_of_identity) {
        true => Matrices::Multiples,
        false => Matrices::General,
    }
}

/// Which sources a query may attend to, as far as kernels are compiled for it.
pub fn visibility(attention: &Attention) -> Visibility {
    match (attention.mask, attention.window) {
        (Mask::Others, _) | (_, Some(_)) => Visibility::Chosen,
        (Mask::None, None) => Visibility::All,
        (Mask::Causal | Mask::StrictlyCausal, None) => Visibility::Leading,
    }
}

/// The largest score of every query in units of beta, where it is known beforehand: then a fixed shift by it is safe.
///
/// Where tokens have length one and A = c I, beta c >= 0, no score exceeds beta c = beta <x_i, A x_i>, and the term of the token
/// itself attains it; so no sum overflows and none vanishes, at any beta. That needs the token's own weight to be
/// there: passive tokens, weights so small that they vanish beside others, and a mask that hides it need a running
/// shift. So do positions, balanced weights and whatever changes.
fn peak(inputs: &HeadInputs, attention: &Attention, head: &Head) -> Option<f64> {
    // A peak is in units of beta, the shares of hardmax are no worse for it, and only products have biases.
    let Attention { beta: _, beta_factors: _, normalization: _, mask, window, position, heads: _ } = attention;
    let Head { query_key, value: _, biases: _, beta: _, decay: _, weight: _ } = head;
    let scale = query_key.multiple_of_identity()?;
    let attended = inputs.attends_itself
        && match mask {
            Mask::None | Mask::Causal => true,
            Mask::StrictlyCausal | Mask::Others => false,
        };
    let bounded = inputs.is_constant
        && !attention.is_balanced()
        && *window != Some(0)
        && *position == Position::Nowhere
        && attention.beta_of(head) * scale >= 0.0;
    (attended && bounded).then_some(scale)
}

/// That peak where it is known and the same for all heads.
pub fn common_peak(problem: &Problem) -> Option<f64> {
    let (inputs, attention) = (HeadInputs::new(problem), &problem.model.attention);
    let mut peaks = attention.heads.iter().map(|head| peak(&inputs, attention, head));
    let first = peaks.next()??;
    peaks.all(|other| other == Some(first)).then_some(first)
}

/// All heads as the kernel `advance` reads them: (c, v, 1 if A is general, 1 if V is), then A and the transpose of V.
pub fn table(problem: &Problem) -> Vec<f32> {
    let dim = problem.tokens.shape.dim;
    let unit = unit(&HeadInputs::new(problem), &problem.model.attention);
    let mut table = Vec::new();
    for Head { query_key, value, weight, biases: _, beta: _, decay: _ } in &problem.model.attention.heads {
        let multiples = [query_key, value].map(Matrix::multiple_of_identity);
        let [c, v] = multiples.map(|multiple| multiple.unwrap_or(1.0));
        let [general_a, general_v] = multiples.map(|multiple| f64::from(u8::from(multiple.is_none())));
        table.extend([c, unit * weight * v, general_a, general_v].map(|number| number as f32));
        table.extend(padded(dim, &query_key.dense(dim, 1.0)));
        table.extend(padded(dim, &transposed(&value.dense(dim, 1.0), dim)));
    }
    table
}

/// What the sums of a reduction are multiplied by, because it counts weights in units of their mean.
fn unit(inputs: &HeadInputs, attention: &Attention) -> f64 {
    if attention.normalization.is_divided() { 1.0 } else { 1.0 / inputs.sources as f64 }
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
