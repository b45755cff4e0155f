//! How widely tokens are spread: over directions, and over lengths.

use super::View;
use crate::observe::{eigenvalues, norm};

/// e^{-sum_k p_k ln p_k} of the shares p_k of the eigenvalues of the second moment; not a number where that vanishes.
pub fn effective_rank(second_moment: &[f64], dim: usize) -> f64 {
    let spectrum = eigenvalues(second_moment, dim);
    let trace: f64 = spectrum.iter().sum();
    if !(trace > 0.0 && trace.is_finite()) {
        return f64::NAN;
    }
    // Rounding leaves eigenvalues of a singular matrix on either side of zero.
    let entropy = |eigenvalue: &f64| {
        let share = (eigenvalue / trace).max(0.0);
        if share == 0.0 { 0.0 } else { -share * share.ln() }
    };
    spectrum.iter().map(entropy).sum::<f64>().exp()
}

/// sum_j w_j |x_j|^p for p = 1 .. order.
pub fn norm_moments(view: &View, replica: usize, order: usize) -> Vec<f64> {
    let tokens = &view.problem.tokens;
    let mut moments = vec![0.0; order];
    for (token, x) in view.replica(replica).chunks_exact(tokens.shape.dim).take(tokens.shape.sources()).enumerate() {
        let (length, mut power) = (norm(x), tokens.weight(replica, token));
        for moment in &mut moments {
            power *= length;
            *moment += power;
        }
    }
    moments
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_spectrum_has_no_rank() {
        assert!(effective_rank(&[0.0; 4], 2).is_nan());
        assert!(effective_rank(&[f64::INFINITY, 0.0, 0.0, 1.0], 2).is_nan());
        assert!((effective_rank(&[0.5, 0.0, 0.0, 0.5], 2) - 2.0).abs() < 1e-14);
    }
}
