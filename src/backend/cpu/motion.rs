//! How tokens move: combinations of stages, and the way back to the sphere.

use super::geometry::Retraction;
use crate::sums::{
    columns::{CloudMut, Columns},
    exp2::Exp2,
    instructions::Kernel,
    real::Real,
};

/// target <- N(from + sum_s coefficients\[s\] velocities\[s\]) with the retraction N, for each token of a run that starts at
/// token `start` of `replica`; `from` is the target itself where none is given.
pub(super) struct Advance<'a, 'b, T> {
    pub(super) retraction: &'a Retraction<'a>,
    pub(super) from: Option<&'a Columns<T>>,
    pub(super) coefficients: &'a [f64],
    pub(super) velocities: &'a [Columns<T>],
    pub(super) replica: usize,
    pub(super) start: usize,
    pub(super) target: CloudMut<'b, T>,
}

/// Tokens whose lengths are computed together.
const GROUP: usize = 128;

impl<'a, T: Real> Kernel for Advance<'a, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(mut self, simd: S) {
        let length = self.target.len();
        let part = |columns: &'a Columns<T>| columns.replica(self.replica).part(self.start, length);
        for component in 0..self.target.width() {
            let target = T::vectors_mut::<S>(self.target.column_mut(component));
            if let Some(from) = self.from {
                target.copy_from_slice(T::vectors::<S>(part(from).column(component)));
            }
            for (coefficient, velocity) in self.coefficients.iter().zip(self.velocities) {
                let coefficient = T::splat(simd, T::from_f64(*coefficient));
                for (x, k) in target.iter_mut().zip(T::vectors::<S>(part(velocity).column(component))) {
                    *x = T::mul_add(simd, coefficient, *k, *x);
                }
            }
        }
        self.retraction.apply(simd, &mut self.target);
    }
}

/// x <- x / |x|, squared in units of the largest component, so that a long vector has a length too.
#[inline(always)]
pub(super) fn normalize<S: Exp2, T: Real>(simd: S, tokens: &mut CloudMut<'_, T>) {
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
