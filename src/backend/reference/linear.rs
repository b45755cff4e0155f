//! Products of vectors and matrices, entry by entry.

use crate::model::Matrix;

pub(super) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(a, b)| a * b).sum()
}

/// |x|, also where its square overflows; one for a vector of zeros, which has no direction.
pub(super) fn length(x: &[f64]) -> f64 {
    let largest = x.iter().fold(0.0f64, |largest, component| largest.max(component.abs()));
    if largest == 0.0 {
        return 1.0;
    }
    largest * x.iter().map(|component| (component / largest).powi(2)).sum::<f64>().sqrt()
}

/// x / |x|.
pub(super) fn unit(x: &[f64]) -> Vec<f64> {
    let length = length(x);
    x.iter().map(|component| component / length).collect()
}

/// v - x <x, v>.
pub(super) fn tangent(x: &[f64], v: &[f64]) -> Vec<f64> {
    let radial = dot(x, v);
    x.iter().zip(v).map(|(x, v)| v - radial * x).collect()
}

/// The entry (row, column) of a matrix.
fn entry(matrix: &Matrix, dim: usize, row: usize, column: usize) -> f64 {
    let identity = if row == column { 1.0 } else { 0.0 };
    match matrix {
        Matrix::Identity => identity,
        Matrix::Scale(factor) => factor * identity,
        Matrix::Diagonal(entries) => entries[row] * identity,
        // The first has number zero; who asks for a replica's own asks `in_replica` before.
        Matrix::Dense(rows) | Matrix::OfReplicas(rows) => rows[row * dim + column],
        Matrix::Product { left, right } => {
            (0..left.len() / dim).map(|k| left[k * dim + row] * right[k * dim + column]).sum()
        }
    }
}

/// M x.
pub(super) fn apply(matrix: &Matrix, x: &[f64]) -> Vec<f64> {
    let dim = x.len();
    (0..dim).map(|row| (0..dim).map(|column| entry(matrix, dim, row, column) * x[column]).sum()).collect()
}

/// F x + bias for a factor F of a product.
pub(super) fn factor(rows: &[f64], bias: &[f64], x: &[f64]) -> Vec<f64> {
    let plus = |k: usize| bias.get(k).copied().unwrap_or(0.0);
    rows.chunks(x.len()).enumerate().map(|(k, row)| dot(row, x) + plus(k)).collect()
}

/// F^T y.
pub(super) fn transposed_factor(rows: &[f64], y: &[f64]) -> Vec<f64> {
    let dim = rows.len() / y.len();
    (0..dim).map(|k| (0..y.len()).map(|r| rows[r * dim + k] * y[r]).sum()).collect()
}

/// ln sum_k e^{s_k}.
pub(super) fn log_sum(terms: &[f64]) -> f64 {
    let largest = terms.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    largest + terms.iter().map(|term| (term - largest).exp()).sum::<f64>().ln()
}
