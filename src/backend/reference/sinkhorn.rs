//! Attention whose rows and columns are both stochastic.

use super::linear::log_sum;

/// w_j e^{s_ij + f_i + g_j} with rows and columns normalized in turn, rows last. Sources come first among the rows.
pub(super) fn doubly_stochastic(scores: &[Vec<f64>], w: &[f64], iterations: u32, tolerance: f64) -> Vec<Vec<f64>> {
    let sources = w.len();
    let rows = |g: &[f64]| -> Vec<f64> {
        let terms = |s: &Vec<f64>| -> Vec<f64> { (0..sources).map(|j| w[j].ln() + s[j] + g[j]).collect() };
        scores.iter().map(|s| -log_sum(&terms(s))).collect()
    };
    let columns = |f: &[f64]| -> Vec<f64> {
        let terms = |j: usize| -> Vec<f64> { (0..sources).map(|i| w[i].ln() + scores[i][j] + f[i]).collect() };
        (0..sources).map(|j| -log_sum(&terms(j))).collect()
    };
    let mut g = vec![0.0; sources];
    for _ in 0..iterations {
        let next = columns(&rows(&g));
        let off = next.iter().zip(&g).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        if off <= tolerance {
            break;
        }
        g = next;
    }
    let f = rows(&g);
    let row = |(s, f): (&Vec<f64>, &f64)| (0..sources).map(|j| w[j] * (s[j] + f + g[j]).exp()).collect();
    scores.iter().zip(&f).map(row).collect()
}

/// The largest |ln sum_i w_i a_ij / w_j| over sources of positive weight.
pub(super) fn marginal_error(weights: &[Vec<f64>], w: &[f64]) -> f64 {
    let column = |j: usize| (0..w.len()).map(|i| w[i] * weights[i][j]).sum::<f64>() / w[j];
    (0..w.len()).filter(|j| w[*j] > 0.0).map(|j| column(j).ln().abs()).fold(0.0, f64::max)
}
