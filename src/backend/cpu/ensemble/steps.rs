//! Steps of a scheme on the sphere, by tokens that stay in the first-level cache.

use super::fields::Fields;
use crate::{
    scheme::Tableau,
    sums::real::Real,
    sums::{columns::Numbers, exp2::Exp2},
};

/// Takes `steps` steps of length `h` with `tokens`, (token, coordinates and bias).
///
/// The arithmetic is that of stages one by one, operation by operation, so that it does not matter who takes a step.
#[inline(always)]
pub(super) fn take<S: Exp2, T: Real, const D: usize>(
    simd: S,
    fields: &mut Fields<'_, S, T, D>,
    tableau: &Tableau,
    h: f64,
    steps: u64,
    tokens: &mut [T::Vector<S>],
) {
    let (count, frozen, lanes) = (fields.ensemble.count, fields.ensemble.frozen, T::lanes::<S>());
    let length = count * D;
    let mut stages = Numbers::zeros(tableau.stages() * length * lanes);
    let stages = T::vectors_mut::<S>(stages.all_mut());
    let mut point = Numbers::zeros(count * (D + 1) * lanes);
    let point = T::vectors_mut::<S>(point.all_mut());
    for _ in 0..steps {
        for (stage, row) in tableau.a.iter().enumerate() {
            let (before, rest) = stages.split_at_mut(stage * length);
            let at = if stage == 0 {
                &*tokens
            } else {
                point.copy_from_slice(tokens);
                combine::<S, T, D>(simd, row, h, before, frozen, point);
                &*point
            };
            fields.at(simd, at, &mut rest[..length]);
        }
        combine::<S, T, D>(simd, tableau.b, h, stages, frozen, tokens);
    }
}

/// x <- N(x + h sum_s row\[s\] k_s) for every token but the first `frozen`.
#[inline(always)]
fn combine<S: Exp2, T: Real, const D: usize>(
    simd: S,
    row: &[f64],
    h: f64,
    stages: &[T::Vector<S>],
    frozen: usize,
    tokens: &mut [T::Vector<S>],
) {
    let count = tokens.len() / (D + 1);
    for (token, numbers) in tokens.chunks_exact_mut(D + 1).enumerate().skip(frozen) {
        let mut x = [T::splat(simd, T::ZERO); D];
        x.copy_from_slice(&numbers[..D]);
        for (entry, stage) in row.iter().zip(stages.chunks_exact(count * D)) {
            let coefficient = T::splat(simd, T::from_f64(h * entry));
            for c in 0..D {
                x[c] = T::mul_add(simd, coefficient, stage[token * D + c], x[c]);
            }
        }
        numbers[..D].copy_from_slice(&normalized::<S, T, D>(simd, x));
    }
}

/// x / |x|, squared in units of the largest component, so that a long vector has a length too.
#[inline(always)]
fn normalized<S: Exp2, T: Real, const D: usize>(simd: S, mut x: [T::Vector<S>; D]) -> [T::Vector<S>; D] {
    let zero = T::splat(simd, T::ZERO);
    let (mut largest, mut square) = (zero, zero);
    for c in 0..D {
        largest = T::max(simd, largest, T::max(simd, x[c], T::sub(simd, zero, x[c])));
    }
    let scale = T::div(simd, T::splat(simd, T::ONE), largest);
    for c in 0..D {
        let scaled = T::mul(simd, x[c], scale);
        square = T::mul_add(simd, scaled, scaled, square);
    }
    let scale = T::div(simd, scale, T::sqrt(simd, square));
    for c in 0..D {
        x[c] = T::mul(simd, x[c], scale);
    }
    x
}
