//! The scores of tokens in the coordinates z = e^{-tV} x.

use nalgebra::{DMatrix, SymmetricEigen};

use crate::model::Matrix;

/// No entry exceeds this: far below 1e30, by which the score of what is not seen is lowered, with room for long tokens.
///
/// A matrix beyond it is divided by a number c > 1 that brings its largest entry here, as if beta were beta / c. Softmax
/// does not notice: scores of such sizes differ by far more than an exponential resolves, or, relative to the rounding
/// of any format, not at all, and the weight is with the largest either way.
const LARGEST: f64 = 1e24;

/// e^{tV^T} A e^{tV}, saturated.
///
/// With mu the largest eigenvalue of (V + V^T) / 2, |e^{t (V - mu)}| <= 1: the factor e^{2 t mu} is put aside, and only
/// its product with the largest entry is compared with what a number can hold.
pub(super) fn query_key(query_key: &Matrix, value: &Matrix, dim: usize, time: f64) -> Matrix {
    let square = |matrix: &Matrix| DMatrix::from_row_slice(dim, dim, &matrix.dense(dim, 1.0));
    let v = square(value);
    let mu = SymmetricEigen::new((&v + v.transpose()) * 0.5).eigenvalues.max();
    let bounded = ((v - DMatrix::identity(dim, dim) * mu) * time).exp();
    let scores = bounded.transpose() * square(query_key) * bounded;
    let largest = scores.amax();
    let exponent = 2.0 * time * mu;
    let factor = if largest.ln() + exponent > LARGEST.ln() { LARGEST / largest } else { exponent.exp() };
    // Row-major, and nalgebra counts columns first.
    Matrix::Dense((scores.transpose() * factor).as_slice().to_vec())
}
