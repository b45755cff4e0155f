//! What the geometry makes of fields and of tokens.

use super::normalize::normalize;
use crate::{
    model::{Field, Geometry, LayerNorm, Matrix},
    sums::{
        columns::{ColumnsMut, ColumnsRef},
        exp2::Exp2,
        instructions::Kernel,
        real::Real,
    },
};

/// dx/dt of tokens as attention and perceptron see them, from their fields, both row-major.
pub(super) fn velocities(geometry: &Geometry, value: &Matrix, dim: usize, tokens: &[f64], fields: &mut [f64]) {
    for (x, f) in tokens.chunks_exact(dim).zip(fields.chunks_exact_mut(dim)) {
        match geometry {
            Geometry::Sphere => project(x, f),
            Geometry::Euclidean | Geometry::PreNorm | Geometry::LayerNorm { .. } => {}
            Geometry::PeriNorm => {
                let length = length(f);
                f.iter_mut().for_each(|f| *f /= length);
            }
            Geometry::Ngpt { alpha } => {
                let scale = alpha / length(f);
                project(x, f);
                f.iter_mut().for_each(|f| *f *= scale);
            }
            Geometry::Rescaled => subtract_image(value, x, f),
        }
    }
}

/// f - x <x, f>.
pub(super) fn project(x: &[f64], f: &mut [f64]) {
    let radial: f64 = x.iter().zip(&*f).map(|(x, f)| x * f).sum();
    f.iter_mut().zip(x).for_each(|(f, x)| *f -= radial * x);
}

/// |f|; a field of zero has the length one, so that it stays zero.
fn length(f: &[f64]) -> f64 {
    let length = f.iter().map(|f| f * f).sum::<f64>().sqrt();
    if length == 0.0 { 1.0 } else { length }
}

/// f - V x.
fn subtract_image(value: &Matrix, x: &[f64], f: &mut [f64]) {
    for (k, row) in value.dense(x.len(), 1.0).chunks_exact(x.len()).enumerate() {
        f[k] -= row.iter().zip(x).map(|(entry, x)| entry * x).sum::<f64>();
    }
}

/// What is done to tokens that have moved.
pub(super) enum Retraction<'a> {
    /// x / |x|
    Unit,
    Nothing,
    Layer(&'a LayerNorm),
}

impl<'a> Retraction<'a> {
    /// After the chosen field has been added.
    pub(super) fn after(geometry: &'a Geometry, field: Field) -> Self {
        match (geometry, field) {
            (Geometry::Sphere | Geometry::Ngpt { .. }, _) => Retraction::Unit,
            (Geometry::LayerNorm { perceptron, .. }, Field::Perceptron) => Retraction::Layer(perceptron),
            (Geometry::LayerNorm { attention, .. }, Field::Tangent | Field::Ambient) => Retraction::Layer(attention),
            (Geometry::Euclidean | Geometry::Rescaled | Geometry::PreNorm | Geometry::PeriNorm, _) => {
                Retraction::Nothing
            }
        }
    }

    #[inline(always)]
    pub(super) fn apply<S: Exp2, T: Real>(&self, simd: S, tokens: &mut ColumnsMut<'_, T>) {
        match self {
            Retraction::Unit => normalize(simd, tokens),
            Retraction::Nothing => {}
            Retraction::Layer(norm) => layer_norm(simd, norm, tokens),
        }
    }
}

/// gain (x - mean) / sqrt(variance + epsilon) + bias.
#[inline(always)]
fn layer_norm<S: Exp2, T: Real>(simd: S, norm: &LayerNorm, tokens: &mut ColumnsMut<'_, T>) {
    let (dim, vectors) = (tokens.width(), tokens.len() / T::lanes::<S>());
    let splat = |number: f64| T::splat(simd, T::from_f64(number));
    let share = splat(1.0 / dim as f64);
    let (mut mean, mut square) = (vec![splat(0.0); vectors], vec![splat(0.0); vectors]);
    for component in 0..dim {
        for (mean, x) in mean.iter_mut().zip(T::vectors::<S>(tokens.column_mut(component))) {
            *mean = T::mul_add(simd, share, *x, *mean);
        }
    }
    for component in 0..dim {
        let column = T::vectors::<S>(tokens.column_mut(component));
        for ((square, mean), x) in square.iter_mut().zip(&mean).zip(column) {
            let centred = T::sub(simd, *x, *mean);
            *square = T::mul_add(simd, T::mul(simd, share, centred), centred, *square);
        }
    }
    for square in &mut square {
        let deviation = T::sqrt(simd, T::add(simd, *square, splat(norm.epsilon)));
        *square = T::div(simd, splat(1.0), deviation);
    }
    for (component, (gain, bias)) in norm.gain.iter().zip(&norm.bias).enumerate() {
        let column = T::vectors_mut::<S>(tokens.column_mut(component));
        for ((x, mean), inverse) in column.iter_mut().zip(&mean).zip(&square) {
            let centred = T::mul(simd, T::sub(simd, *x, *mean), *inverse);
            *x = T::mul_add(simd, splat(*gain), centred, splat(*bias));
        }
    }
}

/// directions <- x / |x|.
pub(super) struct Direct<'a, 'b, T> {
    pub(super) tokens: ColumnsRef<'a, T>,
    pub(super) directions: &'a mut ColumnsMut<'b, T>,
}

impl<T: Real> Kernel for Direct<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<S: Exp2>(self, simd: S) {
        for component in 0..self.directions.width() {
            self.directions.column_mut(component).copy_from_slice(self.tokens.column(component));
        }
        normalize(simd, self.directions);
    }
}
