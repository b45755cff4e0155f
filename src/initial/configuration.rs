//! Tokens placed without chance: equiangular sets, basis vectors, and the centres of two clusters.

use super::{coordinates::zeros, error::LawError, sphere};
use crate::tokens::Shape;

/// `count` unit vectors of R^dim with pairwise inner product `overlap`, by default -1 / (count - 1).
///
/// The Gram matrix (1 - rho) I + rho 1 1^T has the eigenvalues 1 - rho and 1 + (count - 1) rho, so that
/// -1 / (count - 1) <= rho < 1, and its symmetric square root gives x_i = a e_i + b 1 with a = sqrt(1 - rho) and
/// a + count b = sqrt(1 + (count - 1) rho). At the lower end the rank drops by one and the vectors sum to zero, which
/// places a last token, minus the sum of the others, in the dim = count - 1 that then suffices.
pub(super) fn equiangular(count: usize, dim: usize, overlap: Option<f64>) -> Result<Vec<f64>, LawError> {
    let lowest = if count > 1 { -1.0 / (count - 1) as f64 } else { -1.0 };
    let regular = if count > 1 { lowest } else { 0.0 };
    let rho = overlap.unwrap_or(regular);
    let is_regular = count > 1 && (rho - lowest).abs() <= 1e-12;
    if !(is_regular || rho >= lowest && rho < 1.0) {
        return Err(LawError {
            key: "overlap",
            problem: format!("{count} equiangular tokens need an overlap in [{lowest}, 1)"),
            remedy: "write an overlap in this interval, or none for the regular simplex".into(),
        });
    }
    if count > dim + usize::from(is_regular) {
        return Err(LawError {
            key: "law",
            problem: format!("{count} tokens of overlap {rho} do not fit into dim = {dim}"),
            remedy: format!(
                "write tokens.count = {} or less, or tokens.dim = {} or more",
                dim + usize::from(overlap.is_none()),
                count - usize::from(is_regular)
            ),
        });
    }
    let placed = count.min(dim);
    let along = (1.0 - rho).sqrt();
    let sum = (1.0 + (placed - 1) as f64 * rho).max(0.0).sqrt();
    let shift = (sum - along) / placed as f64;
    let mut tokens = zeros(Shape { replicas: 1, count, dim, passive: 0 })?;
    for (i, token) in tokens.chunks_exact_mut(dim).enumerate() {
        token[..placed].fill(if i < placed { shift } else { -sum });
        if i < placed {
            token[i] += along;
        }
        sphere::normalise(token);
    }
    Ok(tokens)
}

/// Refuses more tokens than an orthonormal basis of R^dim has.
pub(super) fn at_most_an_orthonormal_basis(count: usize, dim: usize) -> Result<(), LawError> {
    if count <= dim {
        return Ok(());
    }
    Err(LawError {
        key: "law",
        problem: format!("{count} tokens cannot be orthonormal in dim = {dim}"),
        remedy: format!("write tokens.count = {dim} or less, or tokens.dim = {count} or more"),
    })
}

/// How many tokens the first of two clusters has.
pub(super) fn first_cluster(count: usize, fraction: f64) -> Result<usize, LawError> {
    let exact = fraction * count as f64;
    let whole = exact.round();
    // Fractions such as 1/3 are typed with sixteen digits: a millionth of a token forgives that up to 10^9 tokens.
    if (exact - whole).abs() <= 1e-6 {
        return Ok(whole as usize);
    }
    let (low, high) = (exact.floor() / count as f64, exact.ceil() / count as f64);
    Err(LawError {
        key: "fraction",
        problem: format!("{fraction} of {count} tokens is not a whole number of tokens"),
        remedy: format!("write fraction = {low} or fraction = {high}"),
    })
}

/// e_1, and overlap e_1 + sqrt(1 - overlap^2) e_2.
pub(super) fn two_centres(dim: usize, overlap: f64) -> [Vec<f64>; 2] {
    let mut centres = [vec![0.0; dim], vec![0.0; dim]];
    centres[0][0] = 1.0;
    centres[1][0] = overlap;
    centres[1][1] = ((1.0 - overlap) * (1.0 + overlap)).sqrt();
    sphere::normalise(&mut centres[1]);
    centres
}
