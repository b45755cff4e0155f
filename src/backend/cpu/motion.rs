//! How tokens move: combinations of stages, and the way back to the sphere.

use super::geometry::Retraction;
use crate::sums::{
    columns::{Columns, ColumnsMut},
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
    pub(super) target: ColumnsMut<'b, T>,
}

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
