//! Products and lengths of vectors, in f64.

/// <x, y>.
pub(crate) fn dot(x: &[f64], y: &[f64]) -> f64 {
    x.iter().zip(y).map(|(x, y)| x * y).sum()
}

/// |x|.
pub(crate) fn norm(x: &[f64]) -> f64 {
    dot(x, x).sqrt()
}
