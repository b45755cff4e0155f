//! Attention whose weights are positive parts or sigmoids of scores, which nothing divides.

use std::f64::consts::LN_2;

use super::{field::Visibility, operands::Operands};
use crate::{
    model::Normalization,
    sums::{
        exp2::Exp2,
        instructions::{Instructions, Kernel},
        keys::Keys,
        real::Real,
        reduction::Reduced,
    },
};

/// Keys whose weights are summed in working precision, before they are added in f64: a multiple of every vector.
const CHUNK: usize = 512;

/// sum_j a_ij v_j for each token from `first` on, as `Reduced` with log2 Z = 0, or -infinity where nothing is visible.
pub(super) fn reduce<T: Real>(
    instructions: Instructions,
    normalization: Normalization,
    operands: &Operands<T>,
    first: usize,
    keys: Keys<'_, T>,
    visibility: &Visibility,
    out: &mut Reduced,
) {
    let keys = operands.keys(keys);
    let rows = operands.query_rows(first, visibility.visible.len());
    // Scores are in base 2.
    let unit = if normalization == Normalization::Relu { LN_2 } else { 1.0 };
    let weight = |bias: &T| if *bias > T::MASKED { unit * bias.to_f64().exp2() } else { 0.0 };
    let weights: Vec<T> = keys.bias().iter().map(|bias| T::from_f64(weight(bias))).collect();
    instructions.run(Sums { normalization, rows: &rows, keys, weights: &weights, visibility, out });
}

struct Sums<'a, T> {
    normalization: Normalization,
    rows: &'a [T],
    keys: Keys<'a, T>,
    /// w_j, in the unit of the scores.
    weights: &'a [T],
    visibility: &'a Visibility,
    out: &'a mut Reduced,
}

impl<T: Real> Kernel for Sums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        let Self { normalization, rows, keys, weights, visibility, out } = self;
        out.log2_sum.clear();
        out.barycentre.clear();
        let mut buffer = [T::ZERO; CHUNK];
        let mut sums = vec![0.0; keys.value_width()];
        for (row, query) in rows.chunks_exact(keys.width).enumerate() {
            let hidden = visibility.hidden.get(row).copied().unwrap_or(0);
            let visible = visibility.visible[row];
            sums.fill(0.0);
            for start in (hidden / CHUNK * CHUNK..visible).step_by(CHUNK) {
                let end = (start + CHUNK).min(keys.padded);
                let shares = &mut buffer[..end - start];
                score::<S, T>(simd, query, keys, start, shares);
                weigh::<S, T>(simd, normalization, &weights[start..end], shares);
                // What lies outside of what the query sees.
                shares[..hidden.saturating_sub(start)].fill(T::ZERO);
                shares[(visible - start).min(end - start)..].fill(T::ZERO);
                for (component, sum) in sums.iter_mut().enumerate() {
                    let column = keys.values().map_or_else(|| keys.component(component), |v| v.column(component));
                    *sum += product::<S, T>(simd, shares, &column[start..end]);
                }
            }
            let sees = weights[hidden.min(visible)..visible].iter().any(|weight| *weight > T::ZERO);
            out.log2_sum.push(if sees { 0.0 } else { f64::NEG_INFINITY });
            out.barycentre.extend_from_slice(&sums);
        }
    }
}

/// scores_j <- <query, y_j> for the keys from `start` on.
#[inline(always)]
fn score<S: Exp2, T: Real>(simd: S, query: &[T], keys: Keys<'_, T>, start: usize, scores: &mut [T]) {
    scores.fill(T::ZERO);
    for (component, u) in query.iter().enumerate() {
        let u = T::splat(simd, *u);
        let column = &keys.component(component)[start..start + scores.len()];
        for (score, y) in T::vectors_mut::<S>(scores).iter_mut().zip(T::vectors::<S>(column)) {
            *score = T::mul_add(simd, u, *y, *score);
        }
    }
}

/// From scores to weights.
#[inline(always)]
fn weigh<S: Exp2, T: Real>(simd: S, normalization: Normalization, weights: &[T], scores: &mut [T]) {
    let (zero, one) = (T::splat(simd, T::ZERO), T::splat(simd, T::ONE));
    for (score, weight) in T::vectors_mut::<S>(scores).iter_mut().zip(T::vectors::<S>(weights)) {
        let shape = if normalization == Normalization::Relu {
            T::max(simd, *score, zero)
        } else {
            // 1 / (1 + e) and e / (1 + e), e = 2^-|s|, which does not overflow.
            let size = T::max(simd, *score, T::sub(simd, zero, *score));
            let e = T::exp2(simd, T::sub(simd, zero, size));
            let above = T::div(simd, one, T::add(simd, one, e));
            T::select_above(simd, *score, zero, above, T::mul(simd, e, above))
        };
        *score = T::mul(simd, shape, *weight);
    }
}

/// sum_j a_j b_j.
#[inline(always)]
fn product<S: Exp2, T: Real>(simd: S, a: &[T], b: &[T]) -> f64 {
    let mut sum = T::splat(simd, T::ZERO);
    for (a, b) in T::vectors::<S>(a).iter().zip(T::vectors::<S>(b)) {
        sum = T::mul_add(simd, *a, *b, sum);
    }
    T::sum(simd, sum).to_f64()
}
