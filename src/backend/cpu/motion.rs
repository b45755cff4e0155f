//! How tokens move: combinations of stages, and the way back to the sphere.

use super::{
    columns::{Cloud, CloudMut},
    exp2::Exp2,
    instructions::Kernel,
    real::Real,
};

/// target <- N(from + sum_s coefficients\[s\] velocities\[s\]) with N(y) = y / |y| for each token of a run; `from` is the
/// target itself where none is given.
pub(super) struct Advance<'a, 'b, T> {
    pub(super) from: Option<Cloud<'a, T>>,
    pub(super) coefficients: &'a [f64],
    pub(super) velocities: &'a [Cloud<'a, T>],
    pub(super) target: &'a mut CloudMut<'b, T>,
}

impl<T: Real> Kernel for Advance<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        let zero = T::splat(simd, T::ZERO);
        let one = T::splat(simd, T::ONE);
        for (component, target) in self.target.0.iter_mut().enumerate() {
            let target = T::vectors_mut::<S>(target);
            if let Some(from) = self.from {
                target.copy_from_slice(T::vectors::<S>(from.column(component)));
            }
            for (coefficient, velocity) in self.coefficients.iter().zip(self.velocities) {
                let coefficient = T::splat(simd, T::from_f64(*coefficient));
                for (x, k) in target.iter_mut().zip(T::vectors::<S>(velocity.column(component))) {
                    *x = T::mul_add(simd, coefficient, *k, *x);
                }
            }
        }
        let mut columns: Vec<_> = self.target.0.iter_mut().map(|column| T::vectors_mut::<S>(column)).collect();
        for v in 0..columns[0].len() {
            // Squared in units of the largest component, so that a long vector has a length too.
            let mut largest = zero;
            for column in &columns {
                largest = T::max(simd, largest, T::max(simd, column[v], T::sub(simd, zero, column[v])));
            }
            let unit = T::div(simd, one, largest);
            let mut square = zero;
            for column in &mut columns {
                column[v] = T::mul(simd, column[v], unit);
                square = T::mul_add(simd, column[v], column[v], square);
            }
            let inverse = T::div(simd, one, T::sqrt(simd, square));
            for column in &mut columns {
                column[v] = T::mul(simd, column[v], inverse);
            }
        }
    }
}
