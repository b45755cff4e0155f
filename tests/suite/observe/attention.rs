//! Rows of attention against the weights that the reference writes out.

use tokenfield::{
    backend::reference,
    model::{Attention, Biases, Geometry, Head, Mask, Matrix, Model, Normalization, Position},
    observables::{self, Quantity},
    problem::Problem,
    tokens::{Shape, Tokens, Weights},
};

use super::{ends, weighted};
use crate::{
    backends::Kind,
    clouds::{Numbers, assert_close, problem},
};

/// Means over the rows of all weights, with every mask and position there is.
pub fn rows(kind: Kind) {
    let mut numbers = Numbers(8);
    let mut matrix = |rows: usize| numbers.vector(4 * rows);
    let biases = Biases { query: vec![0.3, -0.2], key: vec![0.1, 0.4], ..Biases::default() };
    let factors = Head {
        query_key: Matrix::Product { left: matrix(2), right: matrix(2) },
        biases,
        beta: Some(2.5),
        ..Head::default()
    };
    let dense = Head { query_key: Matrix::Dense(matrix(4)), ..Head::default() };
    let places = Position::Additive(matrix(45));
    for (mask, window, position, heads) in [
        (Mask::None, None, Position::Nowhere, vec![Head::default()]),
        (Mask::Others, Some(9), Position::Nowhere, vec![Head::default()]),
        (Mask::Causal, Some(7), places, vec![factors.clone(), dense.clone()]),
        (Mask::StrictlyCausal, None, Position::Alibi { decay: 2.0 }, vec![dense]),
        (Mask::None, None, Position::Rotary { base: 100.0 }, vec![factors, Head::default()]),
    ] {
        for normalization in [Normalization::Softmax, Normalization::Unnormalized] {
            let attention = Attention {
                beta: 3.0,
                beta_factors: if mask == Mask::None { vec![1.0, 0.6] } else { Vec::new() },
                normalization,
                mask,
                window,
                position: position.clone(),
                heads: heads.clone(),
            };
            let mut problem = weighted(4, Quantity::Attention(observables::Attention { rows: 45, seed: 0 }));
            problem.model = Model { geometry: Geometry::PreNorm, attention, ..Model::default() };
            let outcome = kind.evolve(&problem);
            for replica in 0..2 {
                let (mut entropies, mut largests, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
                for mut row in rows_of_weights(&problem, &outcome.tokens, replica) {
                    row.retain(|weight| *weight > 0.0);
                    row.sort_by(|a, b| b.total_cmp(a));
                    let total: f64 = row.iter().sum();
                    if !row.is_empty() {
                        entropies.push(-row.iter().map(|a| a / total * (a / total).ln()).sum::<f64>());
                        largests.push(row[0] / total);
                    }
                    if row.len() > 1 {
                        gaps.push((row[0] / row[1]).ln());
                    }
                }
                let expected = [entropies, largests, gaps].map(|list| list.iter().sum::<f64>() / list.len() as f64);
                let names = ["attention_entropy", "attention_largest", "attention_gap"];
                // Scores of beta = 3 that a device rounds.
                let tolerance = kind.measured(3e-6, 1e-11);
                assert_close("attention", &ends(&problem, &outcome, replica, &names), &expected, tolerance);
            }
        }
    }
}

/// Of tokens with <x_i, x_j> = 0 a row has the weights a = 1 / (1 + (n - 1) e^{-beta}) and b = (1 - a) / (n - 1), whichever row is drawn.
pub fn orthonormal(kind: Kind) {
    let (n, beta) = (8, 2.5f64);
    let coordinates = (0..n * n).map(|k| f64::from(u8::from(k % (n + 1) == 0))).collect();
    let shape = Shape { replicas: 1, count: n, dim: n, passive: 0 };
    let problem = Problem {
        quantities: vec![Quantity::Attention(observables::Attention { rows: 3, seed: 1 })],
        ..problem(Tokens { shape, coordinates, weights: Weights::Equal }, beta)
    };
    let a = 1.0 / (1.0 + 7.0 * (-beta).exp());
    let b = (1.0 - a) / 7.0;
    let expected = [-a * a.ln() - 7.0 * b * b.ln(), a, beta];
    assert_close("rows", &kind.evolve(&problem).samples[0].values, &expected, kind.measured(1e-6, 1e-13));
}

/// The rows of sources, of all heads.
fn rows_of_weights(problem: &Problem, coordinates: &[f64], replica: usize) -> Vec<Vec<f64>> {
    let tokens = Tokens { coordinates: coordinates.to_vec(), ..problem.tokens.clone() };
    let of_head = |head: &Head| {
        let mut rows = reference::attention_matrix(&tokens, &problem.model, head, replica);
        rows.truncate(tokens.shape.sources());
        rows
    };
    problem.model.attention.heads.iter().flat_map(of_head).collect()
}
