//! What is measured.

use tokenfield::problem::Problem;

use super::{
    attention::{beta, scores},
    dot,
    field::seen,
};

/// ln sum_h (c_h / 2 beta_h) sum_ij w_i w_j e^{beta_h <q_i, k_j>} of one replica, of tokens as attention sees them; not a number
/// where the sum is not positive.
pub fn log_energy(problem: &Problem, coordinates: &[f64], replica: usize) -> f64 {
    let shape = problem.tokens.shape;
    let attention = &problem.model.attention;
    let length = shape.count * shape.dim;
    let tokens: Vec<Vec<f64>> =
        coordinates[replica * length..][..length].chunks(shape.dim).map(|x| seen(&problem.model, x)).collect();
    let mut exponents = Vec::new();
    for head in &attention.heads {
        for (i, row) in scores(problem, attention, head, &tokens, replica).iter().take(shape.sources()).enumerate() {
            for (j, score) in row.iter().enumerate() {
                let weight = problem.tokens.weight(replica, i) * problem.tokens.weight(replica, j);
                exponents.push((score + weight.ln() - (2.0 * beta(attention, head, replica)).ln(), head.weight));
            }
        }
    }
    let largest = exponents.iter().map(|(exponent, _)| *exponent).fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = exponents.iter().map(|(exponent, weight)| weight * (exponent - largest).exp()).sum();
    if sum > 0.0 { largest + sum.ln() } else { f64::NAN }
}

/// sum_j w_j x_j of one replica.
pub fn mean(problem: &Problem, coordinates: &[f64], replica: usize) -> Vec<f64> {
    let shape = problem.tokens.shape;
    let mut mean = vec![0.0; shape.dim];
    for j in 0..shape.sources() {
        for (k, mean) in mean.iter_mut().enumerate() {
            *mean += problem.tokens.weight(replica, j) * coordinates[(replica * shape.count + j) * shape.dim + k];
        }
    }
    mean
}

/// (sum_j w_j |x_j - e|^2)^{1/2} with e = mean / |mean|.
pub fn w2_dirac(problem: &Problem, coordinates: &[f64], replica: usize) -> f64 {
    let shape = problem.tokens.shape;
    let mean = mean(problem, coordinates, replica);
    let length = dot(&mean, &mean).sqrt();
    let mut sum = 0.0;
    for j in 0..shape.sources() {
        let x = &coordinates[(replica * shape.count + j) * shape.dim..][..shape.dim];
        let square: f64 = x.iter().zip(&mean).map(|(x, m)| (x - m / length).powi(2)).sum();
        sum += problem.tokens.weight(replica, j) * square;
    }
    sum.sqrt()
}

/// min_j <x_j, e> with e = mean / |mean|, over tokens of positive weight.
pub fn overlap_min(problem: &Problem, coordinates: &[f64], replica: usize) -> f64 {
    let shape = problem.tokens.shape;
    let mean = mean(problem, coordinates, replica);
    let length = dot(&mean, &mean).sqrt();
    let mut smallest = f64::INFINITY;
    for j in 0..shape.count {
        if problem.tokens.weight(replica, j) > 0.0 {
            let x = &coordinates[(replica * shape.count + j) * shape.dim..][..shape.dim];
            smallest = smallest.min(dot(x, &mean) / length);
        }
    }
    smallest
}

/// sum_ij w_i w_j <x_i, x_j>^2.
pub fn mean_square_overlap(problem: &Problem, coordinates: &[f64], replica: usize) -> f64 {
    let shape = problem.tokens.shape;
    let tokens = &coordinates[replica * shape.count * shape.dim..][..shape.sources() * shape.dim];
    let mut sum = 0.0;
    for (i, x) in tokens.chunks(shape.dim).enumerate() {
        for (j, y) in tokens.chunks(shape.dim).enumerate() {
            sum += problem.tokens.weight(replica, i) * problem.tokens.weight(replica, j) * dot(x, y).powi(2);
        }
    }
    sum
}
