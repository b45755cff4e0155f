//! One head's share of the field: queries out of tokens, their reduction, and the value matrix after it.

use std::{f64::consts::LOG2_E, marker::PhantomData};

use super::{
    exp2::Exp2,
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
    beta: f64,
    /// c if A = c I, and if V = c I.
    query_multiple: Option<f64>,
    pub(super) value_multiple: Option<f64>,
    /// A^T, which takes tokens to queries.
    query: Map,
    value: Map,
    pub(super) normalization: Normalization,
    shift: Shift,
    /// beta |A|_2, which no |beta A^T x| exceeds.
    pub(super) longest_query: f64,
    format: PhantomData<T>,
}

impl<T: Real> HeadField<T> {
    pub(super) fn new(head: &Head, attention: &Attention, tokens: &Tokens) -> Self {
        let dim = tokens.shape.dim;
        let stretch = head.query_key.spectral_norm(dim);
        Self {
            beta: attention.beta,
            query_multiple: head.query_key.multiple_of_identity(),
            value_multiple: head.value.multiple_of_identity(),
            query: Map::new(&head.query_key, dim).transposed(dim),
            value: Map::new(&head.value, dim),
            normalization: attention.normalization,
            shift: shift::<T>(head, attention.beta * LOG2_E * stretch, attention.mask, tokens),
            longest_query: attention.beta * stretch,
            format: PhantomData,
        }
    }

    /// beta c if A = c I: queries are the tokens times this.
    pub(super) fn query_factor(&self) -> Option<f64> {
        self.query_multiple.map(|multiple| self.beta * multiple)
    }

    /// Whether the velocity that this head gives a token is the gradient of a function of the token: A = c I, c != 0, and
    /// V a multiple of the identity too.
    pub(super) fn is_gradient(&self) -> bool {
        self.query_factor().is_some_and(|factor| factor != 0.0) && self.value_multiple.is_some()
    }

    /// The shift in base 2 that serves every row, if there is one.
    pub(super) fn constant_shift(&self) -> Option<f64> {
        match self.shift {
            Shift::Constant(shift) => Some(shift),
            Shift::RowMaximum => None,
        }
    }

    /// beta log2(e) A^T x of a vector of tokens.
    #[inline(always)]
    pub(super) fn query_of<S: Exp2, const D: usize>(&self, simd: S, token: &[T::Vector<S>; D]) -> [T::Vector<S>; D] {
        self.query.apply_to_lanes::<S, T, D>(simd, self.beta * LOG2_E, token)
    }

    /// V x of a vector of tokens.
    #[inline(always)]
    pub(super) fn value_of<S: Exp2, const D: usize>(&self, simd: S, token: &[T::Vector<S>; D]) -> [T::Vector<S>; D] {
        self.value.apply_to_lanes::<S, T, D>(simd, 1.0, token)
    }

    /// beta A^T x_i for each token, row-major.
    pub(super) fn queries(&self, tokens: &[f64], dim: usize) -> Vec<f64> {
        let mut queries = vec![0.0; tokens.len()];
        for (query, token) in queries.chunks_exact_mut(dim).zip(tokens.chunks_exact(dim)) {
            self.query.apply(token, |k, value| query[k] = self.beta * value);
        }
        queries
    }

    /// (log2 Z_i, M_i / Z_i) for each token as a query, pair by pair.
    pub(super) fn reduce(
        &self,
        instructions: Instructions,
        tokens: &[f64],
        dim: usize,
        (keys, visible): (Keys<'_, T>, &[usize]),
        reduced: &mut Reduced,
    ) {
        // In base 2, and padded with zeros to the width of the keys.
        let mut rows = vec![T::ZERO; tokens.len() / dim * keys.width];
        for (query, token) in rows.chunks_exact_mut(keys.width).zip(tokens.chunks_exact(dim)) {
            self.query.apply(token, |k, value| query[k] = T::from_f64(self.beta * LOG2_E * value));
        }
        reduce(instructions, Queries { rows: &rows, visible }, keys, self.shift, reduced);
    }

    /// field_i += V sum_j a_ij x_j, from the sums of each token.
    pub(super) fn add(&self, dim: usize, reduced: &Reduced, field: &mut [f64]) {
        let width = reduced.barycentre.len() / reduced.log2_sum.len();
        let rows = field.chunks_exact_mut(dim).zip(reduced.barycentre.chunks_exact(width)).zip(&reduced.log2_sum);
        for ((field, barycentre), log2_sum) in rows {
            let total = match self.normalization {
                Normalization::Softmax => 1.0,
                Normalization::Unnormalized
                | Normalization::Shifted
                | Normalization::Hardmax
                | Normalization::Sinkhorn { .. } => log2_sum.exp2(),
            };
            self.value.apply(&barycentre[..dim], |k, value| field[k] += total * value);
        }
    }
}

/// A linear map, applied as cheaply as its form allows.
enum Map {
    Scale(f64),
    Diagonal(Vec<f64>),
    Dense(Vec<f64>),
}

impl Map {
    fn new(matrix: &Matrix, dim: usize) -> Self {
        match matrix {
            Matrix::Identity => Map::Scale(1.0),
            Matrix::Scale(scale) => Map::Scale(*scale),
            Matrix::Diagonal(entries) => Map::Diagonal(entries.clone()),
            Matrix::Dense(_) | Matrix::Product { .. } => Map::Dense(matrix.dense(dim, 1.0)),
        }
    }

    fn transposed(self, dim: usize) -> Self {
        match self {
            Map::Dense(rows) => Map::Dense((0..dim * dim).map(|k| rows[k % dim * dim + k / dim]).collect()),
            symmetric => symmetric,
        }
    }

    /// `factor` times the image of a vector of tokens, of which components beyond the dimension are zero.
    #[inline(always)]
    fn apply_to_lanes<S: Exp2, T: Real, const D: usize>(
        &self,
        simd: S,
        factor: f64,
        tokens: &[T::Vector<S>; D],
    ) -> [T::Vector<S>; D] {
        let splat = |entry: f64| T::splat(simd, T::from_f64(factor * entry));
        let mut image = [splat(0.0); D];
        match self {
            Map::Scale(scale) => {
                for k in 0..D {
                    image[k] = T::mul(simd, splat(*scale), tokens[k]);
                }
            }
            Map::Diagonal(entries) => {
                for (k, entry) in entries.iter().enumerate() {
                    image[k] = T::mul(simd, splat(*entry), tokens[k]);
                }
            }
            Map::Dense(rows) => {
                let dim = rows.len().isqrt();
                for (k, row) in rows.chunks_exact(dim).enumerate() {
                    for (entry, token) in row.iter().zip(tokens) {
                        image[k] = T::mul_add(simd, splat(*entry), *token, image[k]);
                    }
                }
            }
        }
        image
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

/// The cheapest shift that is safe for scores <x, A y> of unit tokens x, y in base 2, none of which exceeds `bound`.
///
/// If all of [-bound, bound] and the weights fit the exponents of `T` together, the bound itself will do: no term is lost.
/// If A = c I with c >= 0, a token's own score is the largest of its row, and equal to the bound but for rounding: again the
/// bound will do as long as every query is among the sources it sees, with a weight to speak of. Otherwise each row's
/// maximum must be found.
fn shift<T: Real>(head: &Head, bound: f64, mask: Mask, tokens: &Tokens) -> Shift {
    let light = lightest(tokens);
    let every_query_sees_itself = mask != Mask::StrictlyCausal
        && tokens.shape.passive == 0
        && !matches!(&tokens.weights, Weights::Each(weights) if weights.contains(&0.0))
        && light < T::EXPONENT_SPAN - NOTICED;
    let own_score_is_largest =
        head.query_key.multiple_of_identity().is_some_and(|factor| factor >= 0.0) && bound * T::EPSILON < 1.0;
    if 2.0 * bound + light <= T::EXPONENT_SPAN || (own_score_is_largest && every_query_sees_itself) {
        Shift::Constant(bound)
    } else {
        Shift::RowMaximum
    }
}

/// Bits below its own weight down to which a token notices others.
const NOTICED: f64 = 30.0;

/// -log2 of the smallest positive weight.
fn lightest(tokens: &Tokens) -> f64 {
    match &tokens.weights {
        Weights::Equal => (tokens.shape.sources() as f64).log2(),
        Weights::Each(weights) => {
            let positive = weights.iter().copied().filter(|weight| *weight > 0.0);
            -positive.fold(1.0, f64::min).log2()
        }
    }
}
