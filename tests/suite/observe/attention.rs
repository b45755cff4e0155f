//! Rows of attention against the weights that the reference writes out.

use tokenfield::{
    backend::reference,
    model::{Attention, Biases, Geometry, Head, Mask, Matrix, Model, Normalization, Position},
    observables::{self, Among, Quantity},
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
    let places = Position::Additive { places: matrix(45), in_values: false };
    for (mask, window, position, heads) in [
        (Mask::None, None, Position::Nowhere, vec![Head::default()]),
        (Mask::Others, Some(9), Position::Nowhere, vec![Head::default()]),
        (Mask::Causal, Some(7), places, vec![factors.clone(), dense.clone()]),
        (Mask::StrictlyCausal, None, Position::Alibi { decay: 2.0 }, vec![dense]),
        (Mask::None, None, Position::Rotary { base: 100.0 }, vec![factors, Head::default()]),
    ] {
        use Normalization::{Relu, Sigmoid, Softmax, Unnormalized};
        for (normalization, of) in [
            (Softmax, Among::Sources),
            (Unnormalized, Among::Sources),
            (Relu, Among::Sources),
            (Sigmoid, Among::Sources),
            (Softmax, Among::Passive),
        ] {
            if normalization.is_pointwise() && position == (Position::Alibi { decay: 2.0 }) {
                continue;
            }
            // No window reaches back from the last of the passive tokens to the sources.
            let window = window.filter(|_| of == Among::Sources);
            let attention = Attention {
                beta: 3.0,
                beta_factors: if mask == Mask::None { vec![1.0, 0.6] } else { Vec::new() },
                normalization,
                mask,
                window,
                position: position.clone(),
                heads: heads.clone(),
            };
            let mut problem = weighted(4, Quantity::Attention(observables::Attention { rows: 45, of, seed: 0 }));
            problem.model = Model { geometry: Geometry::PreNorm, attention, ..Model::default() };
            let outcome = kind.evolve(&problem);
            for replica in 0..2 {
                let (mut entropies, mut largests, mut gaps) = (Vec::new(), Vec::new(), Vec::new());
                for mut row in rows_of_weights(&problem, &outcome.tokens, replica, of) {
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

/// Counts over all rows, of gaps of logarithms of weights over beta, and largest slopes ln N(u) / u; no score ties, so that gaps are apart by
/// more than rounding.
pub fn gaps(kind: Kind) {
    let matrix = Matrix::Dense(Numbers(8).vector(16));
    for (of, mask, head, gap) in [
        (Among::Sources, Mask::None, Head::default(), 0.1),
        (Among::Passive, Mask::None, Head::default(), 0.3),
        (Among::Sources, Mask::Causal, Head { query_key: matrix.clone(), ..Head::default() }, 0.3),
        (Among::Sources, Mask::Others, Head { query_key: matrix, beta: Some(1.5), ..Head::default() }, 1.0),
    ] {
        let heads = vec![head, Head { query_key: Matrix::Scale(-0.5), ..Head::default() }];
        let mut problem = weighted(4, Quantity::GapCounts(observables::GapCounts { gap, rows: 45, of, seed: 0 }));
        problem.tokens.weights = Weights::Equal;
        problem.model = Attention { beta: 2.0, mask, heads, ..Attention::default() }.into();
        let outcome = kind.evolve(&problem);
        for replica in 0..2 {
            let (mut counts, mut scales, mut rows) = (0.0, 0.0, 0.0);
            for (index, mut row) in rows_of_weights(&problem, &outcome.tokens, replica, of).into_iter().enumerate() {
                let head = &problem.model.attention.heads[index / if of == Among::Sources { 41 } else { 4 }];
                row.retain(|weight| *weight > 0.0);
                let largest = row.iter().copied().fold(0.0, f64::max);
                let mut gaps: Vec<f64> =
                    row.iter().map(|weight| (largest / weight).ln() / head.beta.unwrap_or(2.0)).collect();
                gaps.sort_by(f64::total_cmp);
                counts += gaps[1..].iter().filter(|u| **u <= gap).count() as f64;
                let within = |u: f64| gaps[1..].iter().filter(|other| **other <= u).count() as f64;
                scales += gaps[1..].iter().map(|u| within(*u).ln() / u).fold(0.0, f64::max);
                rows += 1.0;
            }
            assert!(counts > 1.2 * rows, "no test: {counts} in {rows} rows");
            let found = ends(&problem, &outcome, replica, &["gap_count", "gap_scale"]);
            assert_close("gaps", &found[..1], &[counts / rows], 1e-12);
            assert_close("scale", &found[1..], &[scales / rows], 1e-9 * scales / rows);
        }
    }
}

/// The traces of A^T A and of its square are sums of squares and fourth powers of all singular values, and Boolean attention has as many
/// as there are groups: two groups of tokens at beta = 60, of k and l tokens, have the matrix with blocks 1/k and 1/l, whose singular values are
/// 1, 1, 0, 0 ..
pub fn spectra(kind: Kind) {
    let heads = vec![
        Head { query_key: Matrix::Dense(Numbers(8).vector(16)), ..Head::default() },
        Head { query_key: Matrix::Scale(-0.5), beta: Some(1.2), ..Head::default() },
    ];
    let spectrum = observables::AttentionSpectrum { rank_threshold: 1e-3, singular_values: 41 };
    let names: Vec<String> = std::iter::once("attention_rank".to_owned())
        .chain((0..41).map(|k| format!("attention_singular_value_{k}")))
        .collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for (head, normalization) in heads.into_iter().zip([Normalization::Softmax, Normalization::Relu]) {
        let mut problem = weighted(4, Quantity::AttentionSpectrum(spectrum));
        let attention = Attention { beta: 3.0, mask: Mask::Causal, normalization, ..Attention::default() };
        problem.model = Attention { heads: vec![head], ..attention }.into();
        let outcome = kind.evolve(&problem);
        let mut rows = rows_of_weights(&problem, &outcome.tokens, 1, Among::Sources);
        rows.iter_mut().for_each(|row| {
            let total: f64 = row.iter().sum();
            row.iter_mut().for_each(|weight| *weight /= if total > 0.0 { total } else { 1.0 });
        });
        let product = |i: usize, j: usize| rows[i].iter().zip(&rows[j]).map(|(a, b)| a * b).sum::<f64>();
        let (mut squares, mut fourths) = (0.0, 0.0);
        for i in 0..41 {
            squares += product(i, i);
            fourths += (0..41).map(|j| product(i, j).powi(2)).sum::<f64>();
        }
        let found = ends(&problem, &outcome, 1, &names);
        let sum = |power: i32| found[1..].iter().map(|value| value.powi(power)).sum::<f64>();
        assert_close("traces", &[sum(2), sum(4)], &[squares, fourths], 1e-11 * squares.max(fourths));
        let rank = found[1..].iter().filter(|value| **value > 1e-3 * found[1]).count();
        assert!(found[1..].is_sorted_by(|a, b| a >= b) && rank > 4 && rank < 41, "no test: {found:?}");
        assert_eq!(found[0], rank as f64);
    }
    let coordinates = [[1.0, 0.0].repeat(3), [-1.0, 0.0].repeat(5)].concat();
    let shape = Shape { replicas: 1, count: 8, dim: 2, passive: 0 };
    let spectrum = observables::AttentionSpectrum { rank_threshold: 0.01, singular_values: 3 };
    let problem = Problem {
        quantities: vec![Quantity::AttentionSpectrum(spectrum)],
        ..problem(Tokens { shape, coordinates, weights: Weights::Equal }, 60.0)
    };
    assert_close("spectrum", &kind.evolve(&problem).samples[0].values, &[2.0, 1.0, 1.0, 0.0], 1e-12);
}

/// Equiangular tokens of overlap rho compete at the gap 1 - rho, all n - 1 of them: the scale is ln(n - 1) / (1 - rho).
pub fn equiangular_gaps(kind: Kind) {
    let n = 8;
    // (x_i)_k = b + (a - b) [i = k] with <x_i, x_j> = 1/2: a - b = (1/2)^{1/2}.
    let side = 0.5f64.sqrt();
    let b = ((0.5 + 8.0 * 0.5f64).sqrt() - side) / 8.0;
    let coordinates: Vec<f64> = (0..n * n).map(|k| if k % (n + 1) == 0 { b + side } else { b }).collect();
    let shape = Shape { replicas: 1, count: n, dim: n, passive: 0 };
    for (gap, count) in [(0.49, 0.0), (0.51, 7.0)] {
        let problem = Problem {
            quantities: vec![Quantity::GapCounts(observables::GapCounts {
                gap,
                rows: 3,
                of: Among::Sources,
                seed: 1,
            })],
            ..problem(Tokens { shape, coordinates: coordinates.clone(), weights: Weights::Equal }, 2.0)
        };
        let expected = [count, 7f64.ln() / 0.5];
        let tolerance = kind.tolerance(1e-5, 1e-12);
        assert_close("gaps", &kind.evolve(&problem).samples[0].values, &expected, tolerance);
    }
}

/// Of tokens with <x_i, x_j> = 0 a row has the weights a = 1 / (1 + (n - 1) e^{-beta}) and b = (1 - a) / (n - 1), whichever row is drawn.
pub fn orthonormal(kind: Kind) {
    let (n, beta) = (8, 2.5f64);
    let coordinates = (0..n * n).map(|k| f64::from(u8::from(k % (n + 1) == 0))).collect();
    let shape = Shape { replicas: 1, count: n, dim: n, passive: 0 };
    let problem = Problem {
        quantities: vec![Quantity::Attention(observables::Attention { rows: 3, of: Among::Sources, seed: 1 })],
        ..problem(Tokens { shape, coordinates, weights: Weights::Equal }, beta)
    };
    let a = 1.0 / (1.0 + 7.0 * (-beta).exp());
    let b = (1.0 - a) / 7.0;
    let expected = [-a * a.ln() - 7.0 * b * b.ln(), a, beta];
    assert_close("rows", &kind.evolve(&problem).samples[0].values, &expected, kind.measured(1e-6, 1e-13));
}

/// The rows of sources or of passive tokens, of all heads.
fn rows_of_weights(problem: &Problem, coordinates: &[f64], replica: usize, of: Among) -> Vec<Vec<f64>> {
    let tokens = Tokens { coordinates: coordinates.to_vec(), ..problem.tokens.clone() };
    let of_head = |head: &Head| {
        let mut rows = reference::attention_matrix(&tokens, &problem.model, head, replica);
        let passive = rows.split_off(tokens.shape.sources());
        if of == Among::Sources { rows } else { passive }
    };
    problem.model.attention.heads.iter().flat_map(of_head).collect()
}
