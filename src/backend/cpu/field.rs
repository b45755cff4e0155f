//! One head's share of the field: queries out of tokens, their reduction, and the value matrix after it.

use std::f64::consts::{LN_2, LOG2_E};

use super::{
    harmonic::Expansion,
    instructions::Instructions,
    keys::Keys,
    real::Real,
    reduction::{Queries, Reduced, Shift, reduce},
};
use crate::{
    model::{Attention, Head, Mask, Matrix, Normalization},
    tokens::{Tokens, Weights},
};

/// A head made ready for the reduction.
pub(super) struct HeadField<T> {
    /// beta log2(e) A^T, which takes tokens to queries in base 2.
    query: Map,
    value: Map,
    normalization: Normalization,
    shift: Shift,
    format: std::marker::PhantomData<T>,
}

/// Where the sums of a head come from.
#[derive(Clone, Copy)]
pub(super) enum Sums<'a, T> {
    /// The pairs of each query with the keys that it sees.
    Pairs { keys: Keys<'a, T>, visible: &'a [usize] },
    /// An expansion over all keys, and those keys for blocks of queries where it loses more bits than are to be had.
    Series { expansion: &'a Expansion<'a, T>, keys: Keys<'a, T>, most_lost: f64 },
}

impl<T: Real> HeadField<T> {
    pub(super) fn new(head: &Head, attention: &Attention, tokens: &Tokens) -> Self {
        let dim = tokens.shape.dim;
        let scale = attention.beta * LOG2_E;
        Self {
            query: Map::new(&head.query_key, dim, scale).transposed(dim),
            value: Map::new(&head.value, dim, 1.0),
            normalization: attention.normalization,
            shift: shift::<T>(&head.query_key, scale, attention.mask, tokens),
            format: std::marker::PhantomData,
        }
    }

    /// field_i += V sum_j a_ij x_j for each query i, in f64.
    pub(super) fn add(
        &self,
        instructions: Instructions,
        tokens: &[f64],
        dim: usize,
        sums: Sums<'_, T>,
        reduced: &mut Reduced,
        field: &mut [f64],
    ) {
        self.reduce(instructions, tokens, dim, sums, reduced);
        let width = reduced.barycentre.len() / reduced.log2_sum.len();
        let rows = field.chunks_exact_mut(dim).zip(reduced.barycentre.chunks_exact(width)).zip(&reduced.log2_sum);
        for ((field, barycentre), log2_sum) in rows {
            let total = match self.normalization {
                Normalization::Softmax => 1.0,
                Normalization::Unnormalized => log2_sum.exp2(),
            };
            self.value.apply(&barycentre[..dim], |k, value| field[k] += total * value);
        }
    }

    /// (log2 Z_i, M_i / Z_i) for each query i.
    pub(super) fn reduce(
        &self,
        instructions: Instructions,
        tokens: &[f64],
        dim: usize,
        sums: Sums<'_, T>,
        reduced: &mut Reduced,
    ) {
        match sums {
            Sums::Pairs { keys, visible } => {
                let rows = &self.queries(tokens, dim, keys.width);
                reduce(instructions, Queries { rows, visible }, keys, self.shift, reduced);
            }
            Sums::Series { expansion, keys, most_lost } => {
                let mut queries = vec![0.0; tokens.len()];
                for (query, token) in queries.chunks_exact_mut(dim).zip(tokens.chunks_exact(dim)) {
                    self.query.apply(token, |k, value| query[k] = LN_2 * value);
                }
                let lost = expansion.reduce(instructions, &queries, reduced);
                if lost > most_lost {
                    let visible = &vec![keys.padded; tokens.len() / dim];
                    self.reduce(instructions, tokens, dim, Sums::Pairs { keys, visible }, reduced);
                }
            }
        }
    }

    /// u_i = beta log2(e) A^T x_i, padded with zeros to the width of the keys.
    fn queries(&self, tokens: &[f64], dim: usize, width: usize) -> Vec<T> {
        let mut queries = vec![T::ZERO; tokens.len() / dim * width];
        for (query, token) in queries.chunks_exact_mut(width).zip(tokens.chunks_exact(dim)) {
            self.query.apply(token, |k, value| query[k] = T::from_f64(value));
        }
        queries
    }
}

/// A linear map, applied as cheaply as its form allows.
enum Map {
    Scale(f64),
    Diagonal(Vec<f64>),
    Dense(Vec<f64>),
}

impl Map {
    fn new(matrix: &Matrix, dim: usize, factor: f64) -> Self {
        match matrix {
            Matrix::Identity => Map::Scale(factor),
            Matrix::Scale(scale) => Map::Scale(factor * scale),
            Matrix::Diagonal(entries) => Map::Diagonal(entries.iter().map(|entry| factor * entry).collect()),
            Matrix::Dense(_) => Map::Dense(matrix.dense(dim, factor)),
        }
    }

    fn transposed(self, dim: usize) -> Self {
        match self {
            Map::Dense(rows) => Map::Dense((0..dim * dim).map(|k| rows[k % dim * dim + k / dim]).collect()),
            symmetric => symmetric,
        }
    }

    /// Hands out the components of the image of `vector`.
    fn apply(&self, vector: &[f64], mut component: impl FnMut(usize, f64)) {
        match self {
            Map::Scale(factor) => vector.iter().enumerate().for_each(|(k, x)| component(k, factor * x)),
            Map::Diagonal(entries) => {
                vector.iter().zip(entries).enumerate().for_each(|(k, (x, entry))| component(k, entry * x));
            }
            Map::Dense(rows) => {
                for (k, row) in rows.chunks_exact(vector.len()).enumerate() {
                    component(k, row.iter().zip(vector).map(|(entry, x)| entry * x).sum());
                }
            }
        }
    }
}

/// The cheapest shift that is safe for scores scale <x, A y> of unit tokens x, y.
///
/// No score exceeds s = scale |A|_2. If all of [-s, s] fits the exponents of `T`, s itself will do; under a mask a row may
/// see light keys only, and the span of the weights counts too. If A = c I with c >= 0, a token's own score is the
/// largest of its row, and equal to s but for rounding: again s will do as long as every query is among the sources it
/// sees, with a weight to speak of. Otherwise each row's maximum must be found.
fn shift<T: Real>(query_key: &Matrix, scale: f64, mask: Mask, tokens: &Tokens) -> Shift {
    let bound = scale * query_key.spectral_norm(tokens.shape.dim);
    let every_query_sees_itself = mask != Mask::StrictlyCausal
        && tokens.shape.passive == 0
        && match &tokens.weights {
            Weights::Equal => true,
            Weights::Each(weights) => weights.iter().all(|weight| weight.log2() > -T::EXPONENT_SPAN),
        };
    let own_score_is_largest =
        query_key.multiple_of_identity().is_some_and(|factor| factor >= 0.0) && bound * T::EPSILON < 1.0;
    let weights = if mask == Mask::None { 0.0 } else { weight_span(&tokens.weights) };
    if 2.0 * bound + weights <= T::EXPONENT_SPAN || (own_score_is_largest && every_query_sees_itself) {
        Shift::Constant(bound)
    } else {
        Shift::RowMaximum
    }
}

/// log2 of the largest positive weight over the smallest.
fn weight_span(weights: &Weights) -> f64 {
    let Weights::Each(weights) = weights else { return 0.0 };
    let positive = weights.iter().copied().filter(|weight| *weight > 0.0);
    let (least, most) = positive
        .fold((f64::INFINITY, 0.0), |(least, most): (f64, f64), weight| (least.min(weight), most.max(weight)));
    (most / least).log2()
}
