//! Linear maps of single tokens, applied as cheaply as their form allows.

use crate::{
    model::Matrix,
    sums::{exp2::Exp2, real::Real},
};

pub(super) enum Map {
    Scale(f64),
    Diagonal(Vec<f64>),
    /// Row-major, of any shape.
    Dense(Vec<f64>),
}

impl Map {
    /// `factor` times the matrix.
    pub(super) fn new(matrix: &Matrix, dim: usize, factor: f64) -> Self {
        match matrix {
            Matrix::Identity => Map::Scale(factor),
            Matrix::Scale(scale) => Map::Scale(factor * scale),
            Matrix::Diagonal(entries) => Map::Diagonal(entries.iter().map(|entry| factor * entry).collect()),
            Matrix::Dense(_) | Matrix::Product { .. } => Map::Dense(matrix.dense(dim, factor)),
        }
    }

    /// A matrix of `columns` columns turned around, times `factor`.
    pub(super) fn transpose(rows: &[f64], columns: usize, factor: f64) -> Self {
        let height = rows.len() / columns;
        let entry = |k: usize| factor * rows[k % height * columns + k / height];
        Map::Dense((0..rows.len()).map(entry).collect())
    }

    pub(super) fn transposed(self, dim: usize) -> Self {
        match self {
            Map::Dense(rows) => Map::transpose(&rows, dim, 1.0),
            symmetric => symmetric,
        }
    }

    /// Whether it is its own transpose; asked of square matrices.
    pub(super) fn is_symmetric(&self) -> bool {
        let Map::Dense(rows) = self else { return true };
        let dim = rows.len().isqrt();
        (0..rows.len()).all(|k| rows[k] == rows[k % dim * dim + k / dim])
    }

    /// `factor` times the image of a vector of tokens, of which components beyond the dimension are zero.
    #[inline(always)]
    pub(super) fn apply_to_lanes<S: Exp2, T: Real, const D: usize>(
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
    pub(super) fn apply(&self, vector: &[f64], mut component: impl FnMut(usize, f64)) {
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
