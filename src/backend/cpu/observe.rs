//! Reductions of the tokens themselves, in f64 and in a fixed order.

use rayon::prelude::*;

use crate::{
    observe::{Quantity, Statistics, direction},
    tokens::Tokens,
};

/// Tokens summed by one task before the partial sums are added in order.
const CHUNK: usize = 4096;

/// Everything but the energy, replica by replica.
pub(super) fn moments(tokens: &Tokens, quantities: &[Quantity]) -> Vec<Statistics> {
    let asked = |quantity| quantities.contains(&quantity);
    let statistics = |replica| {
        let mut statistics = Statistics { mean: mean(tokens, replica), ..Statistics::default() };
        if asked(Quantity::Moments) {
            statistics.second_moment = second_moment(tokens, replica);
        }
        if asked(Quantity::W2Dirac) || asked(Quantity::Overlap) {
            let axis = direction(&statistics.mean);
            (statistics.square_distance, statistics.overlap_min) = spread(tokens, replica, &axis);
        }
        statistics
    };
    (0..tokens.shape.replicas).into_par_iter().map(statistics).collect()
}

/// ln sum_k 2^{exponent_k}.
pub(super) fn log_sum_exp2(exponents: &[f64]) -> f64 {
    let largest = exponents.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = exponents.iter().map(|exponent| (exponent - largest).exp2()).sum();
    (largest + sum.log2()) * std::f64::consts::LN_2
}

/// sum_j w_j x_j.
fn mean(tokens: &Tokens, replica: usize) -> Vec<f64> {
    weighted_sum(tokens, replica, tokens.shape.dim, |weight, x, sum| {
        for (sum, component) in sum.iter_mut().zip(x) {
            *sum += weight * component;
        }
    })
}

/// sum_j w_j x_j x_j^T, row-major.
fn second_moment(tokens: &Tokens, replica: usize) -> Vec<f64> {
    let dim = tokens.shape.dim;
    weighted_sum(tokens, replica, dim * dim, |weight, x, sum| {
        for (row, a) in sum.chunks_exact_mut(dim).zip(x) {
            for (entry, b) in row.iter_mut().zip(x) {
                *entry += weight * a * b;
            }
        }
    })
}

/// (sum_j w_j |x_j - axis|^2, min_j <x_j, axis>) over tokens of positive weight.
fn spread(tokens: &Tokens, replica: usize, axis: &[f64]) -> (f64, f64) {
    let square_distance = weighted_sum(tokens, replica, 1, |weight, x, sum| {
        sum[0] += weight * x.iter().zip(axis).map(|(x, e)| (x - e) * (x - e)).sum::<f64>();
    });
    let overlaps = tokens.replica(replica).par_chunks_exact(tokens.shape.dim).enumerate();
    let overlap_min = overlaps
        .filter(|(token, _)| tokens.weight(replica, *token) > 0.0)
        .map(|(_, x)| x.iter().zip(axis).map(|(x, e)| x * e).sum())
        .reduce(|| f64::INFINITY, f64::min);
    (square_distance[0], overlap_min)
}

/// Sums `term(weight, token, sum)` over the sources of one replica; partial sums of fixed chunks, added in order.
fn weighted_sum(
    tokens: &Tokens,
    replica: usize,
    length: usize,
    term: impl Fn(f64, &[f64], &mut [f64]) + Sync,
) -> Vec<f64> {
    let dim = tokens.shape.dim;
    let sources = &tokens.replica(replica)[..tokens.shape.sources() * dim];
    let partial = |(chunk, coordinates): (usize, &[f64])| {
        let mut sum = vec![0.0; length];
        for (k, x) in coordinates.chunks_exact(dim).enumerate() {
            let weight = tokens.weight(replica, chunk * CHUNK + k);
            if weight > 0.0 {
                term(weight, x, &mut sum);
            }
        }
        sum
    };
    let partials: Vec<Vec<f64>> = sources.par_chunks(CHUNK * dim).enumerate().map(partial).collect();
    let mut total = vec![0.0; length];
    for partial in partials {
        total.iter_mut().zip(partial).for_each(|(total, partial)| *total += partial);
    }
    total
}
