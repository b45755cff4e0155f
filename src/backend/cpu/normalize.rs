//! The way back to the sphere.

use crate::sums::{columns::ColumnsMut, exp2::Exp2, real::Real};

/// Tokens whose lengths are computed together.
const GROUP: usize = 128;

/// x <- x / |x|, squared in units of the largest component, so that a long vector has a length too.
#[inline(always)]
pub(super) fn normalize<S: Exp2, T: Real>(simd: S, tokens: &mut ColumnsMut<'_, T>) {
    let (zero, one) = (T::splat(simd, T::ZERO), T::splat(simd, T::ONE));
    let count = tokens.len();
    for start in (0..count).step_by(GROUP) {
        let range = start..count.min(start + GROUP);
        let (mut scales, mut squares) = ([T::ZERO; GROUP], [T::ZERO; GROUP]);
        let scales = T::vectors_mut::<S>(&mut scales[..range.len()]);
        let squares = T::vectors_mut::<S>(&mut squares[..range.len()]);
        for component in 0..tokens.width() {
            let column = T::vectors::<S>(&tokens.column_mut(component)[range.clone()]);
            for (largest, x) in scales.iter_mut().zip(column) {
                *largest = T::max(simd, *largest, T::max(simd, *x, T::sub(simd, zero, *x)));
            }
        }
        scales.iter_mut().for_each(|scale| *scale = T::div(simd, one, *scale));
        for component in 0..tokens.width() {
            let column = T::vectors::<S>(&tokens.column_mut(component)[range.clone()]);
            for ((square, scale), x) in squares.iter_mut().zip(&*scales).zip(column) {
                let x = T::mul(simd, *x, *scale);
                *square = T::mul_add(simd, x, x, *square);
            }
        }
        for (scale, square) in scales.iter_mut().zip(&*squares) {
            *scale = T::div(simd, *scale, T::sqrt(simd, *square));
        }
        for component in 0..tokens.width() {
            let column = T::vectors_mut::<S>(&mut tokens.column_mut(component)[range.clone()]);
            for (x, scale) in column.iter_mut().zip(&*scales) {
                *x = T::mul(simd, *x, *scale);
            }
        }
    }
}
