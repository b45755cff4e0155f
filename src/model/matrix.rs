//! Matrices in the cheapest form that says what they are.

use std::borrow::Cow;

use nalgebra::DMatrix;
use rayon::prelude::*;

/// A square matrix of width d.
#[derive(Clone, Debug, PartialEq)]
pub enum Matrix {
    /// I.
    Identity,
    /// A multiple of the identity.
    Scale(f64),
    /// diag(a), of d numbers.
    Diagonal(Vec<f64>),
    /// Row-major, d * d numbers.
    Dense(Vec<f64>),
    /// One of that form for each replica in turn, from the first again after the last.
    OfReplicas(Vec<f64>),
    /// L^T R, of rank at most r, for two factors of shape (r, d) in row-major order: Q^T K, or (W_o^T)^T W_v.
    Product {
        /// L.
        left: Vec<f64>,
        /// R.
        right: Vec<f64>,
    },
}

impl Matrix {
    /// The factor c if this matrix is c times the identity.
    pub fn multiple_of_identity(&self) -> Option<f64> {
        match self {
            Matrix::Identity => Some(1.0),
            Matrix::Scale(factor) => Some(*factor),
            Matrix::Diagonal(_) | Matrix::Dense(_) | Matrix::OfReplicas(_) | Matrix::Product { .. } => None,
        }
    }

    /// L and R if this matrix is L^T R.
    pub fn factors(&self) -> Option<(&[f64], &[f64])> {
        match self {
            Matrix::Product { left, right } => Some((left, right)),
            Matrix::Identity | Matrix::Scale(_) | Matrix::Diagonal(_) | Matrix::Dense(_) | Matrix::OfReplicas(_) => {
                None
            }
        }
    }

    /// How many replicas have a matrix of their own; one where all have the same.
    pub fn variety(&self, dim: usize) -> usize {
        match self {
            Matrix::OfReplicas(rows) => rows.len() / (dim * dim),
            Matrix::Identity | Matrix::Scale(_) | Matrix::Diagonal(_) | Matrix::Dense(_) | Matrix::Product { .. } => {
                1
            }
        }
    }

    /// The matrix as a replica has it.
    pub fn in_replica(&self, replica: usize, dim: usize) -> Cow<'_, Matrix> {
        match self {
            Matrix::OfReplicas(rows) => {
                let own = rows.chunks_exact(dim * dim).nth(replica % self.variety(dim));
                Cow::Owned(Matrix::Dense(own.unwrap_or_default().to_vec()))
            }
            Matrix::Identity | Matrix::Scale(_) | Matrix::Diagonal(_) | Matrix::Dense(_) | Matrix::Product { .. } => {
                Cow::Borrowed(self)
            }
        }
    }

    /// The matrix times `factor`, in the same form where that has room for it.
    pub fn scaled(&self, factor: f64) -> Matrix {
        let times = |entries: &[f64]| entries.iter().map(|entry| factor * entry).collect();
        match self {
            Matrix::Identity => Matrix::Scale(factor),
            Matrix::Scale(scale) => Matrix::Scale(factor * scale),
            Matrix::Diagonal(entries) => Matrix::Diagonal(times(entries)),
            Matrix::Dense(rows) => Matrix::Dense(times(rows)),
            Matrix::OfReplicas(rows) => Matrix::OfReplicas(times(rows)),
            Matrix::Product { left, right } => Matrix::Product { left: times(left), right: right.clone() },
        }
    }

    /// |A|_2, the largest factor by which the matrix of width `dim` stretches a vector; where replicas have their own, which may be many
    /// and new at every step, a bound on it for all of them, at most d^{1/16} times larger.
    ///
    /// Infinite where numbers are not finite, or so large that their products are not: iterations for singular values would not
    /// end on these.
    pub fn spectral_norm(&self, dim: usize) -> f64 {
        let singular = |matrix: DMatrix<f64>| {
            if matrix.iter().all(|entry| entry.is_finite()) { matrix.singular_values().max() } else { f64::INFINITY }
        };
        match self {
            Matrix::Identity => 1.0,
            Matrix::Scale(factor) => factor.abs(),
            Matrix::Diagonal(entries) => entries.iter().fold(0.0, |largest, entry| entry.abs().max(largest)),
            Matrix::Dense(rows) => singular(DMatrix::from_row_slice(dim, dim, rows)),
            Matrix::OfReplicas(rows) => {
                rows.par_chunks_exact(dim * dim).map(|rows| stretch(rows, dim)).reduce(|| 0.0, f64::max)
            }
            // The singular values of L^T R are those of R_l R_r^T, r by r, for the triangles of L^T and R^T.
            Matrix::Product { left, right } => {
                let triangle = |factor: &[f64]| DMatrix::from_column_slice(dim, factor.len() / dim, factor).qr().r();
                singular(triangle(left) * triangle(right).transpose())
            }
        }
    }

    /// All d * d entries in row-major order, each multiplied by `factor`; of every replica in turn where these have their own.
    pub fn dense(&self, dim: usize, factor: f64) -> Vec<f64> {
        let diagonal = |entry: &dyn Fn(usize) -> f64| {
            let mut rows = vec![0.0; dim * dim];
            for k in 0..dim {
                rows[k * dim + k] = factor * entry(k);
            }
            rows
        };
        match self {
            Matrix::Identity => diagonal(&|_| 1.0),
            Matrix::Scale(scale) => diagonal(&|_| *scale),
            Matrix::Diagonal(entries) => diagonal(&|k| entries[k]),
            Matrix::Dense(rows) | Matrix::OfReplicas(rows) => rows.iter().map(|entry| factor * entry).collect(),
            Matrix::Product { left, right } => {
                let mut rows = vec![0.0; dim * dim];
                for (left, right) in left.chunks_exact(dim).zip(right.chunks_exact(dim)) {
                    for (row, a) in rows.chunks_exact_mut(dim).zip(left) {
                        row.iter_mut().zip(right).for_each(|(entry, b)| *entry += factor * a * b);
                    }
                }
                rows
            }
        }
    }
}

/// (tr (A^T A)^8)^{1/16}, which is at least |A|_2 and at most d^{1/16} times it; infinite where numbers are not finite.
fn stretch(rows: &[f64], dim: usize) -> f64 {
    let largest = rows.iter().fold(0.0f64, |largest, entry| largest.max(entry.abs()));
    if !rows.iter().all(|entry| entry.is_finite()) {
        return f64::INFINITY;
    }
    if largest == 0.0 {
        return 0.0;
    }
    // Of entries up to one the powers stay finite.
    let matrix = DMatrix::from_row_slice(dim, dim, rows) / largest;
    let gram = matrix.tr_mul(&matrix);
    let scale = gram.amax();
    let square = &gram * &gram / (scale * scale);
    let fourth = &square * &square;
    largest * scale.sqrt() * fourth.norm_squared().powf(1.0 / 16.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against singular values: of random matrices, and of one of rank one, whose sum of powers has a single term.
    #[test]
    fn bounds_of_replicas_are_close_to_the_norms() {
        let mut numbers = (1..).map(|k| (f64::from(k) * 0.754_877).fract() - 0.5);
        for dim in [2, 3, 16, 40] {
            let rows: Vec<f64> = numbers.by_ref().take(dim * dim).map(|number| 1e200 * number).collect();
            let exact = Matrix::Dense(rows.iter().map(|entry| entry / 1e200).collect()).spectral_norm(dim);
            let bound = Matrix::OfReplicas(rows).spectral_norm(dim) / 1e200;
            assert!(exact <= bound * (1.0 + 1e-12) && bound < 1.27 * exact, "{dim}: {bound}, norm {exact}");
        }
        let rank_one = |k: usize| ((k / 3 + 1) * (k % 3 + 1)) as f64;
        let norm = Matrix::OfReplicas((0..9).map(rank_one).collect()).spectral_norm(3);
        assert!((norm - 14.0).abs() < 1e-12, "{norm}");
        assert_eq!(Matrix::OfReplicas(vec![0.0; 8]).spectral_norm(2), 0.0);
        assert_eq!(Matrix::OfReplicas(vec![0.0, f64::NAN, 0.0, 0.0]).spectral_norm(2), f64::INFINITY);
    }
}
