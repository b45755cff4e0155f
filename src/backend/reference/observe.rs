//! What is measured of a replica.

use super::{
    attention::ReplicaAttention,
    linear::{dot, log_sum},
};
use crate::{
    model::{Head, Model},
    observe::{Statistics, has_direction},
    tokens::Tokens,
};

/// The mean of one replica, its second moment and what depends on the direction e of the mean: all of the statistics but the
/// energy. Not numbers where the mean is no more than rounding and has no direction.
pub fn moments(tokens: &Tokens, replica: usize) -> Statistics {
    let (d, sources) = (tokens.shape.dim, tokens.shape.sources());
    let x = |j: usize| &tokens.replica(replica)[j * d..][..d];
    let heavy = || (0..sources).map(|j| (tokens.weight(replica, j), x(j))).filter(|(w, _)| *w > 0.0);
    let mut mean = vec![0.0; d];
    let mut second_moment = vec![0.0; d * d];
    for (w, x) in heavy() {
        for k in 0..d {
            mean[k] += w * x[k];
            for l in 0..d {
                second_moment[k * d + l] += w * x[k] * x[l];
            }
        }
    }
    let length = dot(&mean, &mean).sqrt();
    let (mut square_distance, mut overlap_min) = (f64::NAN, f64::NAN);
    // Tokens are rounded once, and each of so many additions once.
    if has_direction(&mean, f64::EPSILON * (1.0 + 0.5 * sources as f64)) {
        (square_distance, overlap_min) = (0.0, f64::INFINITY);
        for (w, x) in heavy() {
            square_distance += w * x.iter().zip(&mean).map(|(x, m)| (x - m / length).powi(2)).sum::<f64>();
            overlap_min = overlap_min.min(dot(x, &mean) / length);
        }
    }
    Statistics { mean, second_moment, square_distance, overlap_min, ..Statistics::default() }
}

/// ln sum_h (c_h / 2 beta_h) sum_ij w_i w_j e^{beta_h <q_i, k_j>} of one replica, of tokens as attention sees them and of all pairs
/// whatever the mask; not a number where the sum is not positive.
pub fn log_energy(tokens: &Tokens, model: &Model, replica: usize) -> f64 {
    let (attention, sources) = (ReplicaAttention::new(tokens, model, replica), tokens.shape.sources());
    let ln_w: Vec<f64> = (0..sources).map(|j| tokens.weight(replica, j).ln()).collect();
    let of = |head: &Head| {
        let row = |(i, row): (usize, Vec<f64>)| {
            let terms = row.iter().zip(&ln_w).map(|(score, ln_w)| score + ln_w);
            ln_w[i] + log_sum(&terms.collect::<Vec<f64>>())
        };
        let rows: Vec<f64> = attention.scores(head, 0..sources).into_iter().enumerate().map(row).collect();
        log_sum(&rows) - (2.0 * attention.beta(head)).ln()
    };
    let heads: Vec<(f64, f64)> = model.attention.heads.iter().map(|head| (of(head), head.weight)).collect();
    let largest = heads.iter().map(|(exponent, _)| *exponent).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = heads.iter().map(|(exponent, weight)| weight * (exponent - largest).exp()).sum();
    if sum > 0.0 { largest + sum.ln() } else { f64::NAN }
}
